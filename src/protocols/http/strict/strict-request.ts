import { METHODS } from 'node:http'
import { Problem } from '../../../core/errors.ts'
import { ambiguous } from './ambiguous.ts'
import { headerValue, type Header } from '../header.ts'
import { remembered } from '../remembered.ts'
import { checkHeaders } from './strict-headers.ts'
import { checkTarget } from './strict-target.ts'

/** The head of a request as it came, in terms of HTTP/1.1. */
export interface RequestHead {
  readonly httpVersion: string
  readonly method: string
  readonly target: string
  /** `[name, value, name, value, …]` */
  readonly rawHeaders: readonly string[]
  /** Whether nothing follows the head. HTTP/1.1 tells that only by headers. */
  readonly alone: boolean
}

/** How the body of a request is framed. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }

/** A request that can be read in only one way. Everything in it is as it came, byte for byte. */
export interface StrictRequest {
  readonly method: string
  readonly path: string
  /** Without the question mark; `null` where there is none. */
  readonly query: string | null
  /** In lower case, without the port. `null` in HTTP/1.0 only. */
  readonly host: string | null
  readonly headers: readonly Header[]
  readonly framing: Framing
  /** The protocol to upgrade to; `null` for an ordinary request. */
  readonly upgrade: 'websocket' | null
  /** Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean
}

// RFC 9110 §7.2. Host names have no underscore, but the names of many containers do.
const hostSyntax = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

const versions = new Set(['1.0', '1.1', '2.0'])
const methods = new Set(METHODS)

/**
 * The strict request check, before anything else looks at a request. Whatever passes is
 * unambiguous, so policy matches exactly the bytes that the upstream gets. Throws
 * `ambiguous-request`, or `bad-request` for what the gateway does not support.
 */
export function checkRequest(head: RequestHead): StrictRequest {
  const { method, target, rawHeaders, httpVersion } = head
  if (!versions.has(httpVersion)) {
    throw new Problem('bad-request', 'Speak HTTP/1.1 or HTTP/2 to this listener.')
  }
  // In HTTP/2 a method can be any text, and it becomes the beginning of a line of HTTP/1.1.
  if (!methods.has(method)) throw new Problem('bad-request', 'There is no such method.')
  if (method === 'CONNECT' || method === 'TRACE') {
    throw new Problem('bad-request', `${method} is not proxied.`)
  }
  const { path, query } = checkTarget(target)
  const headers = checkHeaders(rawHeaders)
  const framing = framingOf(headers, head)
  const upgrade = upgradeOf(headers, framing)
  const host = hostOf(headers, httpVersion)
  const expectsContinue = checkExpect(headers) && httpVersion !== '1.0'
  return { method, path, query, host, headers, framing, upgrade, expectsContinue }
}

function hostOf(headers: readonly Header[], httpVersion: string): string | null {
  const value = headerValue(headers, 'host')
  if (value !== null) return hostNamed(value)
  if (httpVersion === '1.0') return null
  throw ambiguous('The request has no Host header.')
}

const hostNamed = remembered((written) => {
  const value = written.toLowerCase()
  if (!hostSyntax.test(value)) throw ambiguous('The Host header is not a host name.')
  return value.replace(/:\d+$/, '')
})

/**
 * How the body is framed (RFC 9112 §6.3, RFC 9113 §8.1.1). The parser refuses most bad framing
 * itself; the forwarder relies on all of these checks.
 */
function framingOf(headers: readonly Header[], { httpVersion, alone }: RequestHead): Framing {
  const length = headerValue(headers, 'content-length')
  const coding = headerValue(headers, 'transfer-encoding')
  if (coding !== null) {
    if (length !== null) throw ambiguous('The request has Content-Length and Transfer-Encoding.')
    if (coding !== 'chunked') throw ambiguous('The only Transfer-Encoding here is: chunked')
    if (httpVersion === '1.0') throw ambiguous('HTTP/1.0 knows no Transfer-Encoding.')
    return { kind: 'chunked' }
  }
  if (length === null) {
    return httpVersion === '2.0' && !alone ? { kind: 'chunked' } : { kind: 'none' }
  }
  const bytes = Number(length)
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(bytes)) {
    throw ambiguous('Content-Length is not a number of bytes.')
  }
  return { kind: 'length', bytes }
}

function checkExpect(headers: readonly Header[]): boolean {
  const expect = headerValue(headers, 'expect')
  if (expect !== null && expect.toLowerCase() !== '100-continue') {
    throw new Problem('bad-request', 'The only expectation that is met here is 100-continue.')
  }
  return expect !== null
}

/**
 * The upgrade that a request asks for. An upgraded connection carries what no policy sees, so its
 * opening is all there is to decide about, and has to be complete. An offer of HTTP/2, which some
 * clients make with each request, may be left unanswered (RFC 9110 §7.8): it ends here, and the
 * request goes on as HTTP/1.1.
 */
function upgradeOf(headers: readonly Header[], framing: Framing): 'websocket' | null {
  const upgrade = headerValue(headers, 'upgrade')?.toLowerCase()
  if (upgrade === undefined) return null
  if (framing.kind !== 'none') throw ambiguous('A request with a body asks for an upgrade.')
  if (upgrade === 'h2c') return null
  if (upgrade !== 'websocket') {
    throw new Problem('bad-request', 'The only upgrade that is passed on is to a WebSocket.')
  }
  const connection = headers.filter(({ name }) => name === 'connection')
  const options = connection.flatMap(({ value }) => value.toLowerCase().split(','))
  if (!options.some((option) => option.trim() === 'upgrade')) {
    throw ambiguous('Upgrade is there, and Connection does not name it.')
  }
  return 'websocket'
}
