import type { RequestBody } from './body.ts'
import type { Outgoing } from './upstream/exchange.ts'
import type { Header } from './header.ts'
import type { Selected } from './request-headers.ts'
import type { Resource } from './resource.ts'
import type { Payload, SealedRequest } from './seal.ts'
import type { Trace } from './trace.ts'
import type { Opening } from './websocket/websocket.ts'

/** The body that was approved. */
type Spooled = Pick<SealedRequest, 'bytes'>

interface Parts {
  readonly payload: Payload
  readonly selected: Selected
  readonly resource: Resource
  readonly trace: Trace
  /**
   * The body as it comes; `null` where there is none, or where the approved bytes are sent instead.
   */
  readonly body: RequestBody | null
  /** What was approved; `null` if nobody had to approve it. */
  readonly sealed: Spooled | null
  /** Absent for an ordinary request. */
  readonly opening?: Opening | null
}

/**
 * The request in the bytes that the upstream gets. For an approved action that is exactly what was
 * approved, plus what the gateway itself sets: Host, the framing of the body, the trace context,
 * and the credential, which comes last.
 */
export function outgoingOf(parts: Parts): Outgoing {
  const { payload, selected, resource, trace, body, sealed, opening = null } = parts
  const { method, target, headers } = payload
  let head = `${method} ${target} HTTP/1.1\r\n${line('host', resource.upstream.authority)}`
  for (const { name, value } of headers) head += line(name, value)
  if (!sealed) {
    for (const { name, value } of selected.volatile) {
      // `tracestate` is meaningless without its `traceparent` (W3C Trace Context §3.3).
      if (name !== 'tracestate' || trace.continued) head += line(name, value)
    }
  }
  head += line('traceparent', trace.traceparent)
  if (resource.credential) head += line(resource.credential.name, resource.credential.value)

  const framing = framingOf(body, sealed)
  // A server that ignores the body of a GET would read it as the next request (RFC 9110 §9.3.1).
  const empty = sealed ? !sealed.bytes?.length : !body || body.empty
  const reusable = empty || !['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method)
  if (framing) head += line(framing.name, framing.value)
  if (opening) {
    head += line('connection', 'upgrade') + line('sec-websocket-key', opening.ownKey)
  } else if (!reusable) head += line('connection', 'close')
  head += '\r\n'
  const bytes = sealed ? sealed.bytes : framing && body
  return {
    method,
    head,
    body: bytes,
    reusable: reusable && !opening,
    mayUpgrade: opening !== null,
  }
}

function framingOf(body: RequestBody | null, sealed: Spooled | null): Header | null {
  if (sealed?.bytes) return { name: 'content-length', value: String(sealed.bytes.length) }
  if (sealed || !body || body.framing.kind === 'none') return null
  const { framing } = body
  if (framing.kind === 'chunked') return { name: 'transfer-encoding', value: 'chunked' }
  return { name: 'content-length', value: String(framing.bytes) }
}

/**
 * One header line. Throws for a value that would end the line early. The parser lets none through,
 * but this is the last place to be sure.
 */
function line(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw new Error(`the header ${name} has a line break in it`)
  return `${name}: ${value}\r\n`
}
