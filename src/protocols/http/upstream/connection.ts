import type { Socket } from 'node:net'
import { isNamed } from '../header.ts'
import { ResponseParser, type Head } from './response-parser.ts'

/** Receives what comes back for one request. Nothing more comes after `onEnd` or `onBreak`. */
export interface Receiver {
  onHead(head: Head): void
  onBody(bytes: Buffer): void
  onEnd(trailers: readonly string[]): void
  onBreak(error: Error): void
  /**
   * Nothing has moved for `silence` milliseconds. The receiver has to judge who keeps whom waiting.
   */
  onSilence(silence: number): void
  /** Everything written has been taken, and more can be written. */
  onDrain(): void
  /** Whether the receiver has no room for more. It calls `resume` when it has. */
  readonly full: boolean
}

/**
 * Milliseconds for which an idle connection is kept if the upstream does not say how long it keeps
 * it: shorter than any common server does.
 */
const idleFor = 4_000

/**
 * One connection to an upstream, for one request at a time. Unexpected bytes end it, because they
 * could be read as the answer to somebody else's request (response queue poisoning).
 */
export class Connection {
  readonly #socket: Socket
  readonly #parser: ResponseParser
  readonly #silence: number
  readonly #clock: NodeJS.Timeout
  readonly #onRest: (connection: Connection) => void
  readonly #onClose: (connection: Connection) => void

  // Owned by begin() and #onEnd(): who receives what comes back now.
  #receiver: Receiver | null = null
  #head: Head | null = null
  #reusable = false
  #written = false
  // Owned by #takeRest(): on the clock of performance.now().
  #goodUntil = 0
  #poisoned = false
  // Owned by #onData() and surrender(): bytes that came after an agreement on another protocol.
  #rest: Buffer | null = null
  #error: Error | null = null

  /**
   * `onRest`: called when the connection can be used again. `onClose`: called when it never can.
   */
  constructor(
    socket: Socket,
    silence: number,
    onRest: (connection: Connection) => void,
    onClose: (connection: Connection) => void,
  ) {
    this.#socket = socket
    this.#silence = silence
    this.#onRest = onRest
    this.#onClose = onClose
    this.#parser = new ResponseParser({
      begin: () => this.#onBegin(),
      head: (head) => this.#onHead(head),
      body: (bytes) => this.#receiver?.onBody(bytes),
      end: (trailers) => this.#onEnd(trailers),
    })
    this.#clock = setTimeout(() => this.#onSilence(), silence).unref()
    socket
      .on('data', (bytes: Buffer) => this.#onData(bytes))
      .on('drain', () => {
        this.#clock.refresh()
        this.#receiver?.onDrain()
      })
      .on('end', () => this.#onFinish())
      .on('error', (error) => (this.#error = error))
      .on('close', this.#gone)
  }

  get closed(): boolean {
    return this.#socket.destroyed
  }

  /** Whether a request may be sent now. */
  get usable(): boolean {
    return !this.closed && this.#socket.writable && performance.now() < this.#goodUntil
  }

  /** Begins a request: from here on, what comes in is its answer. */
  begin(method: string, reusable: boolean, receiver: Receiver, mayUpgrade = false): void {
    this.#receiver = receiver
    this.#head = null
    this.#reusable = reusable
    this.#written = false
    this.#parser.expect(method, mayUpgrade)
  }

  /** Returns `false` when the upstream can take no more for now. `onDrain` tells when it can. */
  write(...pieces: readonly (string | Buffer)[]): boolean {
    this.#clock.refresh()
    if (pieces.length === 1) return this.#socket.write(pieces[0]!, 'latin1')
    this.#socket.cork()
    let taken = true
    for (const piece of pieces) taken = this.#socket.write(piece, 'latin1')
    this.#socket.uncork()
    return taken
  }

  /** Holds back what is written until released. */
  hold(): void {
    this.#socket.cork()
  }

  letGo(): void {
    this.#socket.uncork()
  }

  /** The whole request has been written. */
  finishWriting(): void {
    this.#written = true
  }

  resume(): void {
    this.#clock.refresh()
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  /** Restarts the clock for a receiver that is not kept waiting by the upstream. */
  wind(): void {
    this.#clock.refresh()
  }

  /**
   * Hands over the socket of an upgraded connection (101), paused, with the bytes that have come in
   * the new protocol.
   */
  surrender(): { socket: Socket; rest: Buffer } {
    const rest = this.#rest
    if (!rest) throw new Error('this connection still speaks HTTP')
    this.#receiver = null
    clearTimeout(this.#clock)
    this.#parser.close()
    for (const event of ['data', 'drain', 'end', 'error']) this.#socket.removeAllListeners(event)
    this.#socket.off('close', this.#gone)
    return { socket: this.#socket, rest }
  }

  /** Ends the connection. Its receiver hears nothing more of it. */
  destroy(): void {
    this.#receiver = null
    this.#socket.destroy()
  }

  #onData(bytes: Buffer): void {
    if (!this.#receiver) {
      this.destroy()
      return
    }
    this.#clock.refresh()
    try {
      this.#rest = this.#parser.execute(bytes)
    } catch (error) {
      this.#break(error as Error)
      return
    }
    if (this.#rest) {
      this.#socket.pause()
      return
    }
    // More bytes came after the answer.
    if (this.#poisoned) this.destroy()
    else if (this.#receiver?.full) this.#socket.pause()
  }

  #onBegin(): void {
    if (!this.#receiver) this.#poisoned = true
  }

  #onHead(head: Head): void {
    this.#head = head
    this.#receiver?.onHead(head)
  }

  #onEnd(trailers: readonly string[]): void {
    const receiver = this.#receiver
    if (!receiver || !this.#head) return
    this.#receiver = null
    // An upstream that answers before it has the whole request may read the rest as another
    // request.
    if (this.#reusable && this.#written && this.#head.keepAlive) this.#takeRest(this.#head)
    else this.#socket.destroy()
    receiver.onEnd(trailers)
  }

  #takeRest(head: Head): void {
    const announced = keepAliveTimeout(head.headers)
    // A second less than the upstream says, so that no request crosses its closing of the
    // connection.
    const kept = announced === null ? idleFor : Math.min(announced - 1, 60) * 1000
    this.#goodUntil = performance.now() + kept
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#onRest(this)
  }

  #onFinish(): void {
    try {
      this.#parser.finish()
    } catch (error) {
      this.#break(error as Error)
      return
    }
    this.#break(new Error('The upstream closed the connection.'))
  }

  readonly #gone = (): void => this.#onGone()

  #onGone(): void {
    clearTimeout(this.#clock)
    this.#parser.close()
    this.#break(this.#error ?? new Error('The connection was closed.'))
    this.#onClose(this)
  }

  #break(error: Error): void {
    const receiver = this.#receiver
    this.destroy()
    receiver?.onBreak(error)
  }

  #onSilence(): void {
    if (this.#receiver) this.#receiver.onSilence(this.#silence)
    else this.destroy()
  }
}

/** The seconds in `Keep-Alive: timeout=5`, or `null`. */
function keepAliveTimeout(headers: readonly string[]): number | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i]!, 'keep-alive')) continue
    const seconds = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(headers[i + 1]!)?.[1]
    return seconds === undefined ? null : Number(seconds)
  }
  return null
}
