import {
  createServer,
  STATUS_CODES,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Config } from '../../config/schema.ts'
import { TlsServer } from '../../config/tls-server.ts'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'
import { ambiguous } from './strict/ambiguous.ts'
import { Http1Message, Http1Response, type AgentMessage, type AgentResponse } from './client.ts'
import { openingResponse } from './websocket/opening-response.ts'
import { problemHeaders } from './send-problem.ts'

const latest = Symbol('latest response')
const before = Symbol('response before it')

interface AgentSocket extends Socket {
  [latest]?: ChainedResponse
}

interface ChainedResponse extends ServerResponse {
  [before]?: ChainedResponse
}

/** Notes the latest response on a connection, and the one before that it waits for. */
export function remember(socket: Socket, response: ServerResponse): void {
  const [agentSocket, agentResponse]: [AgentSocket, ChainedResponse] = [socket, response]
  const last = agentSocket[latest]
  if (last && !last.closed) agentResponse[before] = last
  agentSocket[latest] = agentResponse
}

/**
 * Closes the responses that wait for their turn. Node releases a connection on CONNECT and never
 * closes them, so nobody would learn that their client has gone.
 */
function closeWaiting(socket: AgentSocket): void {
  for (let response = socket[latest]; response; response = response[before]) {
    if (response.closed || response.socket) continue
    response.destroy()
    response.emit('close')
  }
}

export type Handler = (message: AgentMessage, response: AgentResponse) => void

/** The most bytes of request line and headers together. */
export const maxHeaderSize = 32 * 1024

/**
 * Node's own server, with every limit written out. Node answers nothing by itself: what it would
 * (no Host, expectations, CONNECT) reaches the handler or gets a problem. With `tls` it speaks the
 * same HTTP/1.1 inside TLS, and hands over clients that prefer HTTP/2; throws a `MistakesError`
 * when there is no usable certificate.
 */
export function createListener(
  listen: Config['listen']['agents'],
  log: Log,
  handler: Handler,
  onHttp2: (socket: TLSSocket) => void,
): Server {
  const options: ServerOptions = {
    IncomingMessage: Http1Message,
    // All messages here are of our class. The option's type asks for more than Node needs.
    ServerResponse: Http1Response as unknown as typeof ServerResponse,
    maxHeaderSize,
    headersTimeout: listen.headers_timeout,
    // A body may take any time as long as it moves: see `RequestBody`.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, listen.headers_timeout),
    keepAliveTimeout: listen.idle_timeout,
    // A machine that has vanished says no goodbye. Probes find that out.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    // Any other protocol goes through the strict check like every request, and goes on as HTTP or
    // not at all.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    insecureHTTPParser: false,
    requireHostHeader: false,
    // A request without a body needs no stream.
    optimizeEmptyRequests: true,
    noDelay: true,
  }
  const { tls } = listen
  const server = tls ? new TlsServer(tls, log, { ...options, onHttp2 }) : createServer(options)
  // 0 for all of them. Node would silently drop those beyond its limit.
  server.maxHeadersCount = 0
  server.on('request', handler)
  server.on('checkContinue', handler)
  server.on('checkExpectation', handler)
  server.on('upgrade', (message: Http1Message, socket: Socket, behind: Buffer) => {
    const { [latest]: before }: AgentSocket = socket
    if (before && !before.closed) {
      // Answers to other requests could not be told from the one to the opening.
      closeWaiting(socket)
      socket.destroy()
      return
    }
    if (behind.length > 0) {
      // The client has to wait for the answer (RFC 6455 §4.1). What comes earlier could be read as
      // a request that nobody decided about.
      refuse(socket, ambiguous('Something follows the opening of a WebSocket already.'))
      return
    }
    handler(message, openingResponse(message, socket))
  })
  server.on('connect', (_message, socket: Socket) => {
    closeWaiting(socket)
    refuse(socket, new Problem('bad-request', 'CONNECT is not proxied.'))
  })
  return server
}

/** The problem for something that the parser could not read. */
export function problemOf(error: NodeJS.ErrnoException & { reason?: string }): Problem {
  const { code = '', reason } = error
  if (/TRANSFER_ENCODING|CONTENT_LENGTH|CHUNK/.test(code)) {
    return new Problem('ambiguous-request', `The framing of the body: ${reason ?? 'not valid'}.`)
  }
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('bad-request', 'The headers are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('bad-request', 'The headers did not come in time.')
  return new Problem('bad-request', `This is not HTTP/1.1${reason ? `: ${reason}` : ''}.`)
}

/**
 * Answers what could not be read as a request, and ends the connection. In the middle of another
 * answer it only ends the connection, because the refusal would be read as part of that.
 */
export function refuse(socket: AgentSocket, problem: Problem): void {
  const response = socket[latest]
  // A response without a socket waits for an earlier one.
  const answering =
    response && !response.writableFinished && (response.headersSent || !response.socket)
  if (!socket.writable || answering) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(problem)
  const headers = ['Connection', 'close', ...problemHeaders(problem, Buffer.byteLength(body))]
  const lines = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  // The connection is given up, so later errors on it do not matter.
  socket.on('error', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
