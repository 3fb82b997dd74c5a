import { EventEmitter } from 'node:events'
import type { AnswerSink } from '../upstream/exchange.ts'
import { pack } from './packed.ts'

/** The head of a kept answer. */
export interface KeptHead {
  readonly status: number
  readonly reason: string
  /** The headers as the agent gets them: `[name, value, name, value, …]`. */
  readonly headers: readonly string[]
}

/**
 * Takes an answer in for an agent that fetches it later. If it has more than `limit` bytes, nothing
 * of it is kept, and the rest is skipped.
 */
export class KeptAnswer extends EventEmitter implements AnswerSink {
  readonly #limit: number
  // Owned by writeHead(), write() and end().
  #head: KeptHead | null = null
  #chunks: Buffer[] = []
  #bytes = 0
  #ended = false
  #destroyed = false

  /** `limit` is in bytes. */
  constructor(limit: number) {
    super()
    this.#limit = limit
  }

  get destroyed(): boolean {
    return this.#destroyed
  }

  get writableFinished(): boolean {
    return this.#ended
  }

  get status(): number | undefined {
    return this.#head?.status
  }

  writeHead(status: number, reason: string, headers: string[]): void {
    this.#head = { status, reason, headers }
  }

  flushHeaders(): void {
    // Nobody is there yet to see them.
  }

  write(bytes: Buffer): boolean {
    this.#bytes += bytes.length
    if (this.#bytes > this.#limit) this.#chunks = []
    else this.#chunks.push(bytes)
    return true
  }

  addTrailers(): void {
    // Trailers are left out: they would follow a body with a length, where no client reads them.
  }

  end(text = ''): void {
    if (text !== '') this.write(Buffer.from(text, 'latin1'))
    this.#ended = true
  }

  /** Takes no more, because the answer has taken too long. */
  cut(): void {
    this.#destroyed = true
    this.emit('close')
  }

  /** The answer in one buffer, or why there is nothing to keep. */
  packed(): Buffer | 'too-large' | 'no-answer' {
    if (!this.#ended || !this.#head) return 'no-answer'
    if (this.#bytes > this.#limit) return 'too-large'
    return pack({ head: this.#head, bytes: Buffer.concat(this.#chunks) })
  }
}
