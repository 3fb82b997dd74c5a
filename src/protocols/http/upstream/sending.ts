import type { BodySink, RequestBody } from '../body.ts'
import type { Connection } from './connection.ts'

/** The body of one request on its way to the upstream, with the framing that it came with. */
export class Sending implements BodySink {
  readonly #connection: Connection
  readonly #body: RequestBody
  #stopped = false
  #done = false
  // Owned by write() and drained(): whether the upstream can take no more for now, and who waits
  // until it can.
  #blocked = false
  #onDrained: (() => void) | null = null

  constructor(connection: Connection, body: RequestBody) {
    this.#connection = connection
    this.#body = body
  }

  /** Resolves when all of it has been written. Rejects like `RequestBody.pump`. */
  async run(): Promise<void> {
    await this.#body.pump(this)
    this.#done = true
    if (this.#stopped) return
    if (this.#chunked) this.#connection.write('0\r\n\r\n')
    this.#connection.finishWriting()
  }

  /** Whether it waits for the client to send, rather than for the upstream to take. */
  get waitsForClient(): boolean {
    return !this.#done && !this.#blocked
  }

  /** Discards what comes from here on. */
  stop(): void {
    this.#stopped = true
  }

  /** The upstream can take more, or everything is discarded. */
  drained(): void {
    this.#blocked = false
    const drained = this.#onDrained
    this.#onDrained = null
    drained?.()
  }

  write(bytes: Buffer): boolean {
    if (this.#stopped) return true
    const taken = this.#chunked
      ? this.#connection.write(`${bytes.length.toString(16)}\r\n`, bytes, '\r\n')
      : this.#connection.write(bytes)
    this.#blocked = !taken
    return taken
  }

  whenDrained(drained: () => void): void {
    if (this.#blocked) this.#onDrained = drained
    else drained()
  }

  get #chunked(): boolean {
    return this.#body.framing.kind === 'chunked'
  }
}
