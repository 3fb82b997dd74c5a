import {
  createServer,
  STATUS_CODES,
  IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { TlsConfig } from '../../config/schema.ts'
import { TlsServer } from '../../config/tls-server.ts'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'
import { problemHeaders } from './send-problem.ts'
import type { StrictRequest } from './strict-request.ts'

/** A request, and what the strict check made of it. */
export class AgentMessage extends IncomingMessage {
  /** Set before anything else sees the message. */
  checked: StrictRequest | null = null
}

const latest = Symbol('latest response')
const before = Symbol('response before it')

interface AgentSocket extends Socket {
  [latest]?: AgentResponse
}

interface AgentResponse extends ServerResponse {
  [before]?: AgentResponse
}

/** Notes the response that was begun last on a connection, and the one that it waits for. */
export function remember(socket: Socket, response: ServerResponse): void {
  const [agentSocket, agentResponse]: [AgentSocket, AgentResponse] = [socket, response]
  const last = agentSocket[latest]
  if (last && !last.closed) agentResponse[before] = last
  agentSocket[latest] = agentResponse
}

/**
 * Node lets go of a connection with a CONNECT on it, and never closes the responses that wait for their turn there: nobody would learn that their client
 * is gone.
 */
function closeWaiting(socket: AgentSocket): void {
  for (let response = socket[latest]; response; response = response[before]) {
    if (response.closed || response.socket) continue
    response.destroy()
    response.emit('close')
  }
}

type Handler = (message: AgentMessage, response: ServerResponse) => void

/**
 * Node's own server with every limit written down. Nothing is answered behind our back: what Node would answer by itself (no Host, expectations, CONNECT)
 * reaches the handler or gets a problem. With `tls` it speaks the same HTTP/1.1 inside of TLS; throws `MistakesError` when that has no usable certificate.
 */
export function createListener(tls: TlsConfig | undefined, log: Log, handler: Handler): Server {
  const options = {
    IncomingMessage: AgentMessage,
    // Bytes of request line and headers together.
    maxHeaderSize: 32 * 1024,
    // Milliseconds to the end of the headers. Bodies may take as long as they move: see RequestBody.
    headersTimeout: 20_000,
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: 60_000,
    insecureHTTPParser: false,
    requireHostHeader: false,
    noDelay: true,
  }
  const server = tls ? new TlsServer(tls, log, options) : createServer(options)
  // 0: all of them. Node would leave out, without a word, those beyond its limit.
  server.maxHeadersCount = 0
  server.on('request', handler)
  server.on('checkContinue', handler)
  server.on('checkExpectation', handler)
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

/** Answers what could not be read as a request, and ends the connection. In the middle of another answer, that would be read as a part of it: then it only ends. */
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
