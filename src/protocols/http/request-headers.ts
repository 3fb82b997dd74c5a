import { isOwnCookie } from '../../core/own-cookies.ts'
import { claimsIdentity, hopByHop, volatile } from './header-names.ts'
import { headerValue, type Header } from './header.ts'
import type { ModelApi } from './model/tokens.ts'
import { readPrefer } from './prefer.ts'

/** What of a request's headers goes to the upstream. */
export interface Selected {
  /** In the digest, and always forwarded. */
  readonly bound: readonly Header[]
  /** Outside the digest, and forwarded only with what nobody had to approve. */
  readonly volatile: readonly Header[]
}

interface Rules {
  /**
   * Header that the gateway sets, in lower case. What the agent sends in it is dropped: the
   * injected value is the only one.
   */
  readonly credentialHeader: string | null
  /** Headers that are volatile for this resource, besides the described ones; in lower case. */
  readonly volatile: ReadonlySet<string>
  /** Where the answers of models are read; `null` elsewhere. */
  readonly usage: ModelApi | null
}

/**
 * Sorts the end-to-end headers of a request, in their order. What ends at the gateway is left out:
 * hop-by-hop headers, its own, the ones in which proxies name the caller, and the credential that
 * the agent showed to the gateway.
 */
export function selectHeaders(headers: readonly Header[], rules: Rules): Selected {
  const bound: Header[] = []
  const changing: Header[] = []
  const passesAuthorization = headerValue(headers, 'sallyport-authorization') !== null
  for (const header of headers) {
    const { name } = header
    if (hopByHop.has(name) || name.startsWith('sallyport-') || claimsIdentity(name)) continue
    if (name === rules.credentialHeader || name === 'traceparent') continue
    // A proof is for one hop: whoever gets it could show it for the client.
    if (name === 'dpop' || (name === 'authorization' && !passesAuthorization)) continue
    if (name === 'prefer') {
      const { rest } = readPrefer(header.value)
      if (rest !== null) bound.push({ name, value: rest })
    } else if (name === 'cookie') {
      const rest = cookiesOfOthers(header.value)
      if (rest !== '') bound.push({ name, value: rest })
    } else if (name === 'accept-encoding' && rules.usage !== null) {
      bound.push({ name, value: readableCodings(header.value) })
    } else if (volatile.has(name) || rules.volatile.has(name)) {
      changing.push(header)
    } else {
      bound.push(header)
    }
  }
  return { bound, volatile: changing }
}

/**
 * Without those of the control plane: an upstream could show a session to it, and be whoever is
 * logged in there.
 */
function cookiesOfOthers(value: string): string {
  if (!value.split(';').some(isOwnCookie)) return value
  const others = value.split(';').filter((cookie) => !isOwnCookie(cookie))
  return others.join(';').trim()
}

/**
 * What is left of the codings that a client takes (RFC 9110 §12.5.3): an answer that is packed in
 * another one could not be counted.
 */
function readableCodings(value: string): string {
  const left = value
    .split(',')
    .filter((one) => /^\s*(x-)?(gzip|deflate|identity)\s*(;|$)/i.test(one))
  return left.map((one) => one.trim()).join(', ') || 'identity'
}

/**
 * The token in headers that nobody has checked, `[name, value, …]`; `null` unless there is exactly
 * one.
 */
export function onlyToken(raw: readonly string[]): string | null {
  const headers: Header[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (/^(?:sallyport-)?authorization$/.test(name)) headers.push({ name, value: raw[i + 1]! })
  }
  return headers.length === 1 ? gatewayCredential(headers).token || null : null
}

/** The token that a request shows to the gateway, and how; empty if it shows none. */
export function gatewayCredential(headers: readonly Header[]): {
  scheme: 'bearer' | 'dpop'
  token: string
} {
  const value =
    headerValue(headers, 'sallyport-authorization') ?? headerValue(headers, 'authorization')
  // RFC 6750 §2.1, RFC 9449 §7.1; the scheme is case-insensitive (RFC 9110 §11.1).
  const [, scheme, token = ''] = /^(Bearer|DPoP) +([\w\-.~+/]+=*) *$/i.exec(value ?? '') ?? []
  return { scheme: scheme?.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token }
}
