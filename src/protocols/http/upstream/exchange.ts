import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { ClientGone, RequestBody } from '../body.ts'
import type { Connection, Receiver } from './connection.ts'
import { UpstreamFailure } from './failure.ts'
import type { ModelMeter } from '../model/meter.ts'
import { answerHeaders, answerTrailers, type Answering } from '../response-headers.ts'
import type { Head } from './response-parser.ts'
import { Sending } from './sending.ts'

/** A request in the bytes that the upstream gets. */
export interface Outgoing {
  readonly method: string
  /** Request line and headers, including the empty line at the end. */
  readonly head: string
  /** Bytes, or a body that is streamed with its own framing; `null` without a body. */
  readonly body: RequestBody | Buffer | null
  /** Whether another request may follow on the same connection. */
  readonly reusable: boolean
  /** Whether it asks for another protocol. */
  readonly mayUpgrade: boolean
}

/**
 * Where an answer goes: to its client, or to be kept for it. Emits `drain`, and `close` when it
 * takes no more.
 */
export interface AnswerSink extends EventEmitter {
  readonly destroyed: boolean
  readonly writableFinished: boolean
  writeHead(status: number, reason: string, headers: string[]): unknown
  flushHeaders(): void
  /** Returns `false` when it takes no more before `drain`. */
  write(bytes: Buffer): boolean
  addTrailers(trailers: [string, string][]): void
  end(): unknown
  /** Writes the last piece, with one character for each byte, and ends. */
  end(text: string, encoding: 'latin1'): unknown
}

/** Who gets the answer, once it may be released. */
interface Client {
  readonly response: AnswerSink
  resolve(bytes: number): void
  reject(error: unknown): void
}

/** Who waits for the head. */
interface Asking {
  resolve(head: Head): void
  reject(error: unknown): void
}

/** Bytes of an answer that are buffered until it may be released. */
const enough = 64 * 1024
/**
 * Bytes of an answer that are sent as one text with its head, because copying so few costs less
 * than a second write.
 */
const little = 4 * 1024

/** One request on one connection, and the answer to it. */
export class Exchange implements Receiver {
  readonly #connection: Connection
  readonly #outgoing: Outgoing
  readonly #meter: ModelMeter | null

  #state: 'open' | 'whole' | 'failed' = 'open'
  #failure: unknown = null
  // Owned by head() and onHead().
  #head: Head | null = null
  #asking: Asking | null = null
  // Bytes that have come and are not released.
  #kept: Buffer[] = []
  #keptBytes = 0
  #bytes = 0
  #trailers: readonly string[] = []
  // Owned by relay(), and by the client's back-pressure.
  #client: Client | null = null
  #clientBlocks = false
  // Owned by start(): a body that is streamed.
  #sending: Sending | null = null

  /** `meter`: sees the answer as it comes; `null` for most exchanges. */
  constructor(connection: Connection, outgoing: Outgoing, meter: ModelMeter | null = null) {
    this.#connection = connection
    this.#meter = meter
    this.#outgoing = outgoing
  }

  /** Sends the request. The permit has to be redeemed immediately before. */
  start(): void {
    const { method, head, body, reusable, mayUpgrade } = this.#outgoing
    const connection = this.#connection
    connection.begin(method, reusable, this, mayUpgrade)
    if (body instanceof RequestBody) {
      const sending = new Sending(connection, body)
      this.#sending = sending
      // Bytes of the body that are here already go out together with the head.
      connection.hold()
      connection.write(head)
      sending.run().catch((error: unknown) => this.abort(error))
      setImmediate(() => connection.letGo())
      return
    }
    if (body === null) connection.write(head)
    else connection.write(head, body)
    connection.finishWriting()
  }

  /**
   * The head of the answer, which may be asked for once. Throws or rejects with an
   * `UpstreamFailure`, or with the error that the exchange was aborted with.
   */
  head(): Head | Promise<Head> {
    if (this.#head) return this.#head
    if (this.#state === 'failed') throw this.#failure
    return new Promise((resolve, reject) => (this.#asking = { resolve, reject }))
  }

  /**
   * Streams the answer to the client, no faster than the client reads it. Returns the number of
   * bytes in its body, at once or when all of it has come. Throws, with nothing sent yet, like
   * `head` if the answer has broken off already, or an `UpstreamFailure` if its head cannot be
   * passed on. Rejects like `head` when the client has part of the answer.
   */
  relay(head: Head, response: AnswerSink, answering: Answering): number | Promise<number> {
    if (this.#state === 'failed') throw this.#failure
    try {
      response.writeHead(head.status, head.reason, answerHeaders(head.headers, answering))
    } catch (error) {
      const detail = 'The answer has a character in its head that no head may have.'
      throw new UpstreamFailure('upstream-unreachable', detail, true, error)
    }
    const kept = this.#kept
    this.#kept = []
    if (this.#state === 'whole' && this.#keptBytes <= little && this.#trailers.length === 0) {
      if (kept.length === 0) response.end()
      else response.end(textOf(kept), 'latin1')
      return this.#bytes
    }
    this.#keptBytes = 0
    return new Promise((resolve, reject) => {
      this.#client = { response, resolve, reject }
      response.on('drain', () => this.#unblock())
      for (const bytes of kept) this.#clientBlocks = !response.write(bytes)
      if (this.#state === 'whole') this.#finish(this.#client)
      else {
        // Send the head at once: in a stream of events it is news by itself.
        if (kept.length === 0) response.flushHeaders()
        if (!this.#clientBlocks) this.#connection.resume()
      }
    })
  }

  /** Whether no more of the answer will come. */
  get over(): boolean {
    return this.#state !== 'open'
  }

  /** Bytes of the answer's body that the client has got, complete or not. */
  get released(): number {
    return this.#client ? this.#bytes : 0
  }

  /** The connection, once the upstream has agreed to another protocol. Ends the exchange. */
  surrender(): { socket: Socket; rest: Buffer } {
    this.#state = 'whole'
    this.#sending?.stop()
    return this.#connection.surrender()
  }

  /** Ends the exchange and its connection. Does nothing if it is over. */
  abort(error: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#failure = error
    this.#connection.destroy()
    this.#asking?.reject(error)
    this.#client?.reject(error)
    this.#stopSending()
  }

  /** Whether there is no room for more of the answer. */
  get full(): boolean {
    return this.#clientBlocks || this.#keptBytes > enough
  }

  onHead(head: Head): void {
    this.#meter?.head(head)
    this.#head = head
    this.#asking?.resolve(head)
  }

  onBody(bytes: Buffer): void {
    this.#meter?.body(bytes)
    this.#bytes += bytes.length
    if (this.#client) {
      this.#clientBlocks = !this.#client.response.write(bytes)
    } else {
      this.#kept.push(bytes)
      this.#keptBytes += bytes.length
    }
  }

  onEnd(trailers: readonly string[]): void {
    this.#state = 'whole'
    this.#trailers = trailers
    this.#stopSending()
    if (this.#client) this.#finish(this.#client)
  }

  onBreak(error: Error): void {
    this.abort(new UpstreamFailure('upstream-unreachable', 'The upstream broke off.', true, error))
  }

  onSilence(silence: number): void {
    if (this.#client && this.#clientBlocks) {
      this.abort(new ClientGone('The client stopped reading.'))
    } else if (this.#sending?.waitsForClient || this.full) {
      // The upstream waits for us: for more of the request, or for the record of the action. Both
      // have time limits of their own.
      this.#connection.wind()
    } else {
      this.abort(
        new UpstreamFailure('upstream-timeout', `The upstream was silent for ${silence} ms.`, true),
      )
    }
  }

  onDrain(): void {
    this.#sending?.drained()
  }

  /** Once the answer is complete, or none will come, the rest of the request is of no use. */
  #stopSending(): void {
    this.#sending?.stop()
    this.#sending?.drained()
  }

  #unblock(): void {
    this.#clientBlocks = false
    if (this.#state === 'open') this.#connection.resume()
  }

  #finish({ response, resolve }: Client): void {
    const trailers = answerTrailers(this.#trailers)
    if (trailers.length > 0) response.addTrailers(trailers)
    response.end()
    resolve(this.#bytes)
  }
}

/** One character for each byte. */
function textOf(pieces: readonly Buffer[]): string {
  let text = ''
  for (const bytes of pieces) text += bytes.toString('latin1')
  return text
}
