import type { EventEmitter } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { AnswerSink } from './upstream/exchange.ts'
import type { StrictRequest } from './strict/strict-request.ts'

/** A request of an agent, over whichever version of HTTP. */
export interface AgentMessage extends Readable {
  readonly method?: string
  /** The target, as it came. */
  readonly url?: string
  /** `[name, value, …]`, as they came. */
  readonly rawHeaders: string[]
  /** What the strict check made of it; set before anything else sees the message. */
  checked: StrictRequest | null
  /** Whether the whole of it has come. */
  readonly complete: boolean
  readonly socket: Pick<Socket, 'remoteAddress' | 'remotePort'>
}

/**
 * The answer to it. What is written here means the same in every version; how it is framed is
 * Node's to know.
 */
export interface AgentResponse extends AnswerSink {
  readonly req: AgentMessage
  readonly headersSent: boolean
  readonly statusCode: number
  /** The connection, where it may become one for another protocol. */
  readonly upgrade: Upgradable | null
  writeContinue(): void
  end(): unknown
  end(bytes: Buffer): unknown
  end(text: string, encoding: 'latin1'): unknown
  /** Nobody is left to answer. */
  destroy(): unknown
  /**
   * An answer that has begun cannot become another one: its client gets what there is of it, and
   * sees that it is not whole.
   */
  breakOff(): void
  /** Ends a request whose answer is out, although the rest of it has not come. */
  stopReading(): void
}

/** A connection that is waiting for the answer to an opening. */
export interface Upgradable {
  /** Hands it over: from now on, what comes on it belongs to whoever asked for it. */
  take(): Socket
}

/** Milliseconds for what has come of an answer to reach its client. */
const lastBytes = 10_000

export class Http1Message extends IncomingMessage implements AgentMessage {
  checked: StrictRequest | null = null
}

export class Http1Response extends ServerResponse<Http1Message> implements AgentResponse {
  upgrade: Upgradable | null = null

  breakOff(): void {
    const { socket } = this
    if (!socket) return
    const timer = setTimeout(() => socket.destroy(), lastBytes)
    socket.once('close', () => clearTimeout(timer))
    socket.destroySoon()
  }

  stopReading(): void {
    this.req.socket.destroy()
  }
}

export class Http2Message extends Http2ServerRequest implements AgentMessage {
  checked: StrictRequest | null = null

  /** Ends the one request that this is: Node would only stop reading it. */
  override destroy(): this {
    this.stream.close(constants.NGHTTP2_CANCEL)
    return this
  }
}

/**
 * What Node's class really is: its types say that it is a `Writable`, and that has properties which
 * this has not.
 */
interface CompatResponse extends EventEmitter {
  readonly req: Http2Message
  readonly stream: ServerHttp2Stream
  readonly headersSent: boolean
  readonly statusCode: number
  writeContinue(): void
  writeHead(status: number, headers: string[]): unknown
  flushHeaders(): void
  write(bytes: Buffer): boolean
  setTrailer(name: string, value: string): void
  end(last?: Buffer | string, encoding?: 'latin1'): unknown
}

const CompatResponse = Http2ServerResponse as unknown as new (
  stream: ServerHttp2Stream,
) => CompatResponse

export class Http2Response extends CompatResponse implements AgentResponse {
  /** Its connection has other requests on it. */
  readonly upgrade = null

  get destroyed(): boolean {
    return this.stream.destroyed || this.stream.closed
  }

  /** Node ends the answers of a client that resets its request, and then calls them finished. */
  get writableFinished(): boolean {
    return this.stream.writableFinished && !this.stream.aborted
  }

  /** HTTP/2 has no reasons (RFC 9113 §8.3.2), and Node would warn of one. Fastify gives none. */
  override writeHead(status: number, reason: unknown, headers = reason): unknown {
    return super.writeHead(status, headers as string[])
  }

  addTrailers(trailers: readonly [string, string][]): void {
    for (const [name, value] of trailers) this.setTrailer(name, value)
  }

  destroy(): void {
    this.stream.close(constants.NGHTTP2_CANCEL)
  }

  breakOff(): void {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  stopReading(): void {
    this.stream.close(constants.NGHTTP2_NO_ERROR)
  }
}
