import type { BodySink, RequestBody } from '../body.ts'
import type { Connection } from './connection.ts'

/** The body of one request on its way to the upstream, in the framing that it came in. */
export class Sending implements BodySink {
  readonly #connection: Connection
  readonly #body: RequestBody
  #stopped = false
  #done = false
  // Owned by write() and drained(): whether the upstream takes no more for now, and who waits until
  // it does.
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

  /** Whether the next piece is the client's to send, and not the upstream's to take. */
  get waitsForClient(): boolean {
    return !this.#done && !this.#blocked
  }

  /** What comes from here on goes nowhere. */
  stop(): void {
    this.#stopped = true
  }

  /** The upstream takes more, or whatever comes goes nowhere. */
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
