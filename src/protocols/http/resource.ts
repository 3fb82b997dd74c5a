import picomatch from 'picomatch'
import type { HttpResource } from '../../config/schema.ts'
import type { Header } from './header.ts'
import { ReverseMapping } from './reverse-mapping.ts'
import { secretParameters, usualSecretParameters, type IsSecret } from './secret-parameters.ts'
import type { ModelApi } from './model/tokens.ts'
import { Upstream } from './upstream/upstream.ts'

/** A configured resource, made ready for requests. */
export interface Resource {
  readonly name: string
  readonly match: HttpResource['match']
  /** Names upstream and credential without revealing them; part of what an approval is bound to. */
  readonly binding: string
  readonly upstream: Upstream
  readonly mapping: ReverseMapping
  /** What the gateway adds on the way to the upstream. */
  readonly credential: Header | null
  /** Its name: what an agent sends in this header is dropped. */
  readonly credentialHeader: string | null
  readonly volatile: ReadonlySet<string>
  /** Whose way of answering its models have; `null` where there are none. */
  readonly usage: ModelApi | null
  /** Whether WebSockets may be opened there. */
  readonly websockets: boolean
  /** Of the parameters of a query. */
  readonly isSecret: IsSecret
  /** Whether this route is declared as a proven read. */
  isRead(method: string, path: string): boolean
}

export function prepareResource(config: HttpResource, binding: string): Resource {
  const { name, match, credential, volatile_headers, secret_parameters, read, websockets } = config
  const routes = read.map(readRoute)
  // Agents can send letters, digits and dashes only, and behind CGI and its like `X_Api_Key` is the
  // same header as `X-Api-Key`.
  const credentialHeader = credential?.header.toLowerCase().replace(/[^a-z0-9]/g, '-') ?? null
  return {
    name,
    match,
    binding,
    upstream: new Upstream(config),
    mapping: new ReverseMapping(config),
    credential: credential
      ? { name: credential.header.toLowerCase(), value: credential.value }
      : null,
    credentialHeader,
    websockets,
    usage: config.usage ?? null,
    volatile: new Set(volatile_headers.map((header) => header.toLowerCase())),
    isSecret: secretParameters(secret_parameters ?? usualSecretParameters),
    isRead: (method, path) =>
      routes.some((route) => route.method === method && route.matches(path)),
  }
}

/**
 * `GET /v1/**`: the method as it is, and a glob in which only `*`, `?`, `[…]` and `{…}` are
 * special.
 */
function readRoute(route: string) {
  const blank = route.indexOf(' ')
  const matches = picomatch(route.slice(blank + 1), {
    dot: true,
    nonegate: true,
    noextglob: true,
    strictSlashes: true,
    windows: false,
  })
  return { method: route.slice(0, blank), matches: (path: string): boolean => matches(path) }
}
