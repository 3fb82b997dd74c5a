import { createServer, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Http2Message, Http2Response } from './client.ts'
import { maxHeaderSize, type Handler } from './listener.ts'

/**
 * Requests that one connection may have under way. The protocol itself refuses more, which can be
 * sent again (RFC 9113 §5.1.2).
 */
const maxConcurrentStreams = 128

/**
 * The sessions of agents that speak HTTP/2. Does not listen itself, but is given the connections
 * that agreed on HTTP/2 (ALPN).
 */
export class Http2Sessions {
  readonly #server
  readonly #sessions = new Set<ServerHttp2Session>()

  /**
   * Every limit is written here, or is nghttp2's own, beyond which it hangs up: a thousand streams
   * at once and 33 a second that are reset right after their beginning (CVE-2023-44487), eight
   * CONTINUATION frames for one head (CVE-2024-27983), a thousand frames that only want an answer.
   * `idle`: milliseconds for which a connection is kept on which nothing runs.
   */
  constructor(idle: number, handler: Handler) {
    this.#server = createServer({
      Http2ServerRequest: Http2Message,
      Http2ServerResponse: Http2Response as unknown as typeof Http2ServerResponse<Http2Message>,
      settings: {
        maxConcurrentStreams,
        maxHeaderListSize: maxHeaderSize,
        enablePush: false,
        // WebSockets over HTTP/2 (RFC 8441) are not offered. Over HTTP/1.1 an opening is one action
        // on one connection.
        enableConnectProtocol: false,
      },
      // Pairs of one head, including pseudo-headers: enough for the strict check to count them and
      // refuse too many itself.
      maxHeaderListPairs: 256,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
    })
    // The strict check refuses CONNECT and unknown expectations, like anything else.
    for (const event of ['request', 'checkContinue', 'checkExpectation', 'connect']) {
      this.#server.on(event, handler)
    }
    // A broken session takes its streams with it, and those report it.
    this.#server.on('sessionError', () => undefined)
    this.#server.on('session', (session) => this.#watch(session, idle))
  }

  take(socket: TLSSocket): void {
    this.#server.emit('connection', socket)
  }

  /**
   * Asks every client to use another connection for its next request (RFC 9113 §6.8). What runs
   * goes on.
   */
  goAway(): void {
    for (const session of this.#sessions) session.close()
  }

  #watch(session: ServerHttp2Session, idle: number): void {
    let streams = 0
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    session.on('stream', (stream) => {
      streams++
      stream.once('close', () => streams--)
    })
    session.setTimeout(idle, () => {
      if (streams === 0) session.destroy()
    })
  }
}
