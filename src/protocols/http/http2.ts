import { createServer, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { Http2Message, Http2Response } from './client.ts'
import { maxHeaderSize, type Handler } from './listener.ts'

/**
 * Requests that one connection may have under way. What is beyond is refused by the protocol
 * itself, and can be sent again (RFC 9113 §5.1.2).
 */
const maxConcurrentStreams = 128

/**
 * The sessions of agents that speak HTTP/2. It listens to nothing: it is given the connections that
 * agreed on it (ALPN).
 */
export class Http2Sessions {
  readonly #server
  readonly #sessions = new Set<ServerHttp2Session>()

  /**
   * Every limit is written down, or nghttp2's own: of streams that are reset right after they began
   * (CVE-2023-44487) a thousand at once and 33 a second, of CONTINUATION frames eight for one head
   * (CVE-2024-27983), of frames that only want an answer a thousand; whoever sends more is hung up
   * on. `idle` is in milliseconds: how long a connection is kept on which nothing runs.
   */
  constructor(idle: number, handler: Handler) {
    this.#server = createServer({
      Http2ServerRequest: Http2Message,
      Http2ServerResponse: Http2Response as unknown as typeof Http2ServerResponse<Http2Message>,
      settings: {
        maxConcurrentStreams,
        maxHeaderListSize: maxHeaderSize,
        enablePush: false,
        // WebSockets over HTTP/2 (RFC 8441) are not offered: they come over HTTP/1.1, where the
        // opening is one action on one connection.
        enableConnectProtocol: false,
      },
      // Pairs of one head, pseudo-headers among them: enough for the strict check to count and
      // refuse by itself what is too much.
      maxHeaderListPairs: 256,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
    })
    // CONNECT, and expectations that nobody has, are refused by the strict check, as everything
    // else is.
    for (const event of ['request', 'checkContinue', 'checkExpectation', 'connect']) {
      this.#server.on(event, handler)
    }
    // A session that breaks takes its streams with it; whoever waits there hears of it from them.
    this.#server.on('sessionError', () => undefined)
    this.#server.on('session', (session) => this.#watch(session, idle))
  }

  take(socket: TLSSocket): void {
    this.#server.emit('connection', socket)
  }

  /** Asks every client to go elsewhere with its next request (RFC 9113 §6.8). What runs goes on. */
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
