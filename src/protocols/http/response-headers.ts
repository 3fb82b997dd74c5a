import { isOwnCookie } from '../../core/own-cookies.ts'
import { isNamed } from './header.ts'
import { remembered } from './remembered.ts'
import type { ReverseMapping } from './reverse-mapping.ts'

/** Whose answer it is, and how its client sees the upstream. */
export interface Answering {
  readonly action: string
  readonly mapping: ReverseMapping
  /** Scheme and host by which the client knows the gateway; `null` where nobody knows. */
  readonly origin: string | null
}

/**
 * Meant for the gateway (RFC 9110 §7.6.1), which frames its own answer. `Trailer` announces what
 * follows, and stays. `Alt-Svc` (RFC 7838) would lead clients to a port of the upstream's choice on
 * the gateway's host.
 */
const hopByHop = new Set([
  'alt-svc',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/**
 * The head of an upstream's answer as the client gets it, both as `[name, value, name, value, …]`.
 */
export function answerHeaders(raw: readonly string[], answering: Answering): string[] {
  const dropped = namedByConnection(raw)
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = passedOn(raw[i]!)
    if (name === null || dropped.has(name)) continue
    // Nor may an upstream say who is logged in at the control plane.
    if (name === 'set-cookie' && isOwnCookie(raw[i + 1]!)) continue
    headers.push(raw[i]!, seenFromOutside(name, raw[i + 1]!, answering))
  }
  headers.push('Sallyport-Action', answering.action)
  return headers
}

/** The name in lower case; `null` where it ends at the gateway. */
const passedOn = remembered((raw) => {
  const name = raw.toLowerCase()
  return hopByHop.has(name) || name.startsWith('sallyport-') ? null : name
})

/**
 * What of an answer its Connection header says is for the next hop (RFC 9110 §7.6.1), in lower
 * case.
 */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | null = null
  for (let i = 0; i < raw.length; i += 2) {
    if (!isNamed(raw[i]!, 'connection')) continue
    // What nearly all of them say, and it names nothing that is not dropped anyway.
    if (isNamed(raw[i + 1]!, 'keep-alive')) continue
    names ??= new Set()
    for (const name of raw[i + 1]!.split(',')) names.add(name.trim().toLowerCase())
  }
  // What frames the answer stays, whatever Connection says: its length is what makes it complete.
  names?.delete('content-length')
  return names ?? noNames
}

const noNames: ReadonlySet<string> = new Set()

function seenFromOutside(name: string, value: string, { mapping, origin }: Answering): string {
  switch (name) {
    case 'location':
    case 'content-location':
      return mapping.location(value)
    case 'link':
      return mapping.link(value, origin)
    case 'set-cookie':
      return mapping.cookie(value)
    default:
      return value
  }
}

/**
 * Trailers of an answer that may be passed on: none that frames or routes a message (RFC 9110
 * §6.5.1).
 */
export function answerTrailers(raw: readonly string[]): [string, string][] {
  const trailers: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = passedOn(raw[i]!)
    const forbidden = name === null || name === 'content-length' || name === 'trailer'
    if (!forbidden) trailers.push([raw[i]!, raw[i + 1]!])
  }
  return trailers
}
