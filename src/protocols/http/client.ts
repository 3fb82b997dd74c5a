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

/** A request of an agent, in any version of HTTP. */
export interface AgentMessage extends Readable {
  readonly method?: string
  /** The target, as it came. */
  readonly url?: string
  /** `[name, value, …]`, as they came. */
  readonly rawHeaders: string[]
  /** The result of the strict check; set before anything else sees the message. */
  checked: StrictRequest | null
  /** Whether the whole of it has come. */
  readonly complete: boolean
  readonly socket: Pick<Socket, 'remoteAddress' | 'remotePort'>
}

/** The answer to an agent. It is used alike in every version of HTTP, and Node does the framing. */
export interface AgentResponse extends AnswerSink {
  readonly req: AgentMessage
  readonly headersSent: boolean
  readonly statusCode: number
  /** The connection, if it may be upgraded to another protocol. */
  readonly upgrade: Upgradable | null
  writeContinue(): void
  end(): unknown
  end(bytes: Buffer): unknown
  end(text: string, encoding: 'latin1'): unknown
  /** There is nobody left to answer. */
  destroy(): unknown
  /**
   * Ends an answer that has begun and cannot be completed. The client gets what there is, and sees
   * that it is incomplete.
   */
  breakOff(): void
  /** Ends a request whose answer is out, although its body has not come to its end. */
  stopReading(): void
}

/** A connection that waits for the answer to the opening of a WebSocket. */
export interface Upgradable {
  /** Hands the connection over to the caller, along with everything that comes on it. */
  take(): Socket
}

/** Milliseconds for the beginning of an answer to reach its client. */
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

  /** Ends this request's stream, where Node would only stop reading it. */
  override destroy(): this {
    this.stream.close(constants.NGHTTP2_CANCEL)
    return this
  }
}

/**
 * What Node's class really offers. Its types claim a `Writable`, some of whose properties it lacks.
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
  /** Other requests share the connection, so it cannot be upgraded. */
  readonly upgrade = null

  get destroyed(): boolean {
    return this.stream.destroyed || this.stream.closed
  }

  /** Node ends the answer when a client resets its request, and then reports it as finished. */
  get writableFinished(): boolean {
    return this.stream.writableFinished && !this.stream.aborted
  }

  /**
   * HTTP/2 has no reason phrases (RFC 9113 §8.3.2), and Node would warn about one. Fastify gives
   * none.
   */
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
