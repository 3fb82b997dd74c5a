import picomatch from 'picomatch'
import type { HttpResource } from '../../config/schema.ts'
import type { Header } from './header.ts'
import { ReverseMapping } from './reverse-mapping.ts'
import { secretParameters, usualSecretParameters, type IsSecret } from './secret-parameters.ts'
import type { ModelApi } from './model/tokens.ts'
import { Upstream } from './upstream/upstream.ts'

/** A configured resource, prepared for requests. */
export interface Resource {
  readonly name: string
  readonly match: HttpResource['match']
  /** A digest of the upstream and the credential; part of what an approval is bound to. */
  readonly binding: string
  readonly upstream: Upstream
  readonly mapping: ReverseMapping
  /** The credential that the gateway adds for the upstream. */
  readonly credential: Header | null
  /** The name of its header. What an agent sends in this header is dropped. */
  readonly credentialHeader: string | null
  readonly volatile: ReadonlySet<string>
  /** The provider whose format its models answer in; `null` where there are none. */
  readonly usage: ModelApi | null
  /** Whether WebSockets may be opened there. */
  readonly websockets: boolean
  /** Tells which parameters of a query are secret. */
  readonly isSecret: IsSecret
  /** Whether this route is declared as a proven read. */
  isRead(method: string, path: string): boolean
}

export function prepareResource(config: HttpResource, binding: string): Resource {
  const { name, match, credential, volatile_headers, secret_parameters, read, websockets } = config
  const routes = read.map(readRoute)
  // Agents can only send letters, digits and dashes, and to CGI and the like `X_Api_Key` is the
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

/** Reads `GET /v1/**`: a method, and a glob in which only `*`, `?`, `[…]` and `{…}` are special. */
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
