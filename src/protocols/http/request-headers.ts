import { isOwnCookie } from '../../core/own-cookies.ts'
import { claimsIdentity, hopByHop, volatile } from './header-names.ts'
import { headerValue, type Header } from './header.ts'
import type { ModelApi } from './model/tokens.ts'
import { readPrefer } from './prefer.ts'

/** The headers of a request that go to the upstream. */
export interface Selected {
  /** Headers in the digest, which are always forwarded. */
  readonly bound: readonly Header[]
  /** Headers outside the digest, which are forwarded only if nobody had to approve the request. */
  readonly volatile: readonly Header[]
}

interface Rules {
  /**
   * The header that the gateway puts the credential into, in lower case. The agent's own value is
   * dropped.
   */
  readonly credentialHeader: string | null
  /** Further headers that are volatile for this resource, in lower case. */
  readonly volatile: ReadonlySet<string>
  /** Whose model answers are read; `null` for none. */
  readonly usage: ModelApi | null
}

/**
 * Sorts the end-to-end headers of a request, in order. Leaves out what ends at the gateway:
 * hop-by-hop headers, its own, those in which proxies name the caller, and the credential that the
 * agent presented to the gateway.
 */
export function selectHeaders(headers: readonly Header[], rules: Rules): Selected {
  const bound: Header[] = []
  const changing: Header[] = []
  const passesAuthorization = headerValue(headers, 'sallyport-authorization') !== null
  for (const header of headers) {
    const { name } = header
    if (hopByHop.has(name) || name.startsWith('sallyport-') || claimsIdentity(name)) continue
    if (name === rules.credentialHeader || name === 'traceparent') continue
    // A proof is for one hop. Whoever gets it could present it in the client's place.
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
 * The cookies without those of the control plane, with which an upstream could take over a session
 * there.
 */
function cookiesOfOthers(value: string): string {
  if (!value.split(';').some(isOwnCookie)) return value
  const others = value.split(';').filter((cookie) => !isOwnCookie(cookie))
  return others.join(';').trim()
}

/**
 * The accepted codings that we can unpack (RFC 9110 §12.5.3), because an answer in any other could
 * not be metered.
 */
function readableCodings(value: string): string {
  const left = value
    .split(',')
    .filter((one) => /^\s*(x-)?(gzip|deflate|identity)\s*(;|$)/i.test(one))
  return left.map((one) => one.trim()).join(', ') || 'identity'
}

/** The token in unchecked headers, `[name, value, …]`; `null` unless there is exactly one. */
export function onlyToken(raw: readonly string[]): string | null {
  const headers: Header[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (/^(?:sallyport-)?authorization$/.test(name)) headers.push({ name, value: raw[i + 1]! })
  }
  return headers.length === 1 ? gatewayCredential(headers).token || null : null
}

/**
 * The token that a request presents to the gateway, and its scheme; an empty token if there is
 * none.
 */
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
