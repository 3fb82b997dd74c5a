import { createHash, randomBytes } from 'node:crypto'
import { Problem } from '../../../core/errors.ts'
import type { AgentResponse } from '../client.ts'
import { UpstreamFailure } from '../upstream/failure.ts'
import { headerValue, type Header } from '../header.ts'
import type { Resource } from '../resource.ts'
import type { Head } from '../upstream/response-parser.ts'
import type { StrictRequest } from '../strict/strict-request.ts'

/**
 * The opening of a WebSocket (RFC 6455 §4). Each of the two connections has a handshake of its own,
 * so that the answer to one proves nothing for the other.
 */
export interface Opening {
  /** The agent's Sec-WebSocket-Key. */
  readonly agentKey: string
  /** The key that the gateway sends to the upstream. */
  readonly ownKey: string
}

/**
 * The opening in a request; `null` for an ordinary one. Throws `bad-request` for an opening that
 * cannot be passed on.
 */
export function openingOf(
  request: StrictRequest,
  { websockets }: Pick<Resource, 'websockets'>,
  { upgrade }: AgentResponse,
): Opening | null {
  if (request.upgrade === null) return null
  if (!websockets) throw new Problem('bad-request', 'This resource takes no WebSockets.')
  // The connection is still in use for HTTP.
  if (!upgrade) throw new Problem('bad-request', 'Open a WebSocket on a connection of its own.')
  const agentKey = headerValue(request.headers, 'sec-websocket-key') ?? ''
  const version = headerValue(request.headers, 'sec-websocket-version')
  if (request.method !== 'GET' || version !== '13' || !/^[A-Za-z0-9+/]{22}==$/.test(agentKey)) {
    throw new Problem('bad-request', 'A WebSocket is opened by GET, version 13, and a key.')
  }
  return { agentKey, ownKey: randomBytes(16).toString('base64') }
}

/**
 * The headers that an approval is bound to: they tell that it is an opening, but do not have the
 * key, which differs for each try.
 */
export function openingHeaders(headers: readonly Header[]): Header[] {
  const bound = headers.filter(({ name }) => name !== 'sec-websocket-key')
  return [...bound, { name: 'upgrade', value: 'websocket' }]
}

/** The Sec-WebSocket-Accept for a key (§4.2.2, step 5.4). */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/**
 * Throws an `UpstreamFailure` unless the upstream accepted exactly this opening (§4.1). Otherwise
 * anything might follow.
 */
export function checkAccepted({ headers }: Head, { ownKey }: Opening): void {
  const accepted = (name: string): string | null => {
    let value: string | null = null
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i]!.toLowerCase() === name) value = value === null ? headers[i + 1]! : ''
    }
    return value
  }
  if (
    accepted('upgrade')?.toLowerCase() !== 'websocket' ||
    accepted('sec-websocket-accept') !== acceptOf(ownKey)
  ) {
    const detail = 'The upstream did not accept the WebSocket as it has to (RFC 6455 §4.1).'
    throw new UpstreamFailure('upstream-unreachable', detail, true)
  }
}

/** The upstream's answer as the gateway gives it to the agent. `headers`: the end-to-end ones. */
export function acceptance(headers: readonly string[], { agentKey }: Opening): string[] {
  const own = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
  own.push('Sec-WebSocket-Accept', acceptOf(agentKey))
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === 'sec-websocket-accept') continue
    own.push(headers[i]!, headers[i + 1]!)
  }
  return own
}
