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

/** Notes the response that was begun last on a connection, and the one that it waits for. */
export function remember(socket: Socket, response: ServerResponse): void {
  const [agentSocket, agentResponse]: [AgentSocket, ChainedResponse] = [socket, response]
  const last = agentSocket[latest]
  if (last && !last.closed) agentResponse[before] = last
  agentSocket[latest] = agentResponse
}

/**
 * Node lets go of a connection with a CONNECT on it, and never closes the responses that wait for
 * their turn there: nobody would learn that their client is gone.
 */
function closeWaiting(socket: AgentSocket): void {
  for (let response = socket[latest]; response; response = response[before]) {
    if (response.closed || response.socket) continue
    response.destroy()
    response.emit('close')
  }
}

export type Handler = (message: AgentMessage, response: AgentResponse) => void

/** Bytes of request line and headers together. */
export const maxHeaderSize = 32 * 1024

/**
 * Node's own server with every limit written down. Nothing is answered behind our back: what Node
 * would answer by itself (no Host, expectations, CONNECT) reaches the handler or gets a problem.
 * With `tls` it speaks the same HTTP/1.1 inside of TLS, and hands over who prefers HTTP/2; throws
 * `MistakesError` when that has no usable certificate.
 */
export function createListener(
  listen: Config['listen']['agents'],
  log: Log,
  handler: Handler,
  onHttp2: (socket: TLSSocket) => void,
): Server {
  const options: ServerOptions = {
    IncomingMessage: Http1Message,
    // What it is for its messages, which are all of this kind; the type of the option asks for
    // more.
    ServerResponse: Http1Response as unknown as typeof ServerResponse,
    maxHeaderSize,
    headersTimeout: listen.headers_timeout,
    // Bodies may take as long as they move: see RequestBody.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, listen.headers_timeout),
    keepAliveTimeout: listen.idle_timeout,
    // A client whose machine is gone says nothing: after some time without an answer to a probe,
    // the connection is.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    // Another protocol is looked at by the strict check, as any request is, and goes on as HTTP or
    // not at all.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    insecureHTTPParser: false,
    requireHostHeader: false,
    // What has no body is no stream that would have to end.
    optimizeEmptyRequests: true,
    noDelay: true,
  }
  const { tls } = listen
  const server = tls ? new TlsServer(tls, log, { ...options, onHttp2 }) : createServer(options)
  // 0: all of them. Node would leave out, without a word, those beyond its limit.
  server.maxHeadersCount = 0
  server.on('request', handler)
  server.on('checkContinue', handler)
  server.on('checkExpectation', handler)
  server.on('upgrade', (message: Http1Message, socket: Socket, behind: Buffer) => {
    const { [latest]: before }: AgentSocket = socket
    if (before && !before.closed) {
      // Its answer could not be told from the one to the opening.
      closeWaiting(socket)
      socket.destroy()
      return
    }
    if (behind.length > 0) {
      // The client has to wait for the answer (RFC 6455 §4.1): what comes earlier could be read as
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

/** What the parser could not read. It says so of a request's framing, or of its syntax. */
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
 * answer, that would be read as a part of it: then it only ends.
 */
export function refuse(socket: AgentSocket, problem: Problem): void {
  const response = socket[latest]
  // A response without a socket waits for one before it.
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
  // Whatever goes wrong from here on goes wrong with a connection that is given up.
  socket.on('error', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
