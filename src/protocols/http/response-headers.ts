import { isOwnCookie } from '../../core/own-cookies.ts'
import { isNamed } from './header.ts'
import { remembered } from './remembered.ts'
import type { ReverseMapping } from './reverse-mapping.ts'

/** What an answer belongs to, and how its client sees the upstream. */
export interface Answering {
  readonly action: string
  readonly mapping: ReverseMapping
  /**
   * The scheme and host under which the client knows the gateway; `null` where that is not known.
   */
  readonly origin: string | null
}

/**
 * Headers for the gateway (RFC 9110 §7.6.1), which frames its own answer. `Trailer` stays, because
 * it announces what follows. `Alt-Svc` (RFC 7838) would lead clients to a port of the upstream's
 * choice on the gateway's host.
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
    // An upstream must not set the control plane's cookies.
    if (name === 'set-cookie' && isOwnCookie(raw[i + 1]!)) continue
    headers.push(raw[i]!, seenFromOutside(name, raw[i + 1]!, answering))
  }
  headers.push('Sallyport-Action', answering.action)
  return headers
}

/** The name in lower case; `null` for a header that ends at the gateway. */
const passedOn = remembered((raw) => {
  const name = raw.toLowerCase()
  return hopByHop.has(name) || name.startsWith('sallyport-') ? null : name
})

/**
 * The headers of an answer that its Connection header names as hop-by-hop (RFC 9110 §7.6.1), in
 * lower case.
 */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | null = null
  for (let i = 0; i < raw.length; i += 2) {
    if (!isNamed(raw[i]!, 'connection')) continue
    // By far the most common value, which names nothing that is not dropped anyway.
    if (isNamed(raw[i + 1]!, 'keep-alive')) continue
    names ??= new Set()
    for (const name of raw[i + 1]!.split(',')) names.add(name.trim().toLowerCase())
  }
  // The length stays, whatever Connection says, because the client needs it to know that the answer
  // is complete.
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
 * The trailers of an answer that may be passed on, which are none that frame or route a message
 * (RFC 9110 §6.5.1).
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
