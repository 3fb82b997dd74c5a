/**
 * Messages of one kind, one behind the other, that nobody looks into: counts them in the pieces in
 * which they come, and puts none of them together. There may be millions of them, and one may be
 * longer than memory.
 */
export class Stretch {
  readonly #lengthOf: (bytes: Buffer, at: number) => number
  // Owned by walk(): what has come of a header that is cut, and what is still to come of a message
  // whose header is known.
  readonly #head = Buffer.alloc(5)
  #had = 0
  #remaining = 0
  #begun = 0

  /**
   * `lengthOf`: of the whole message whose header begins there, in bytes. Throws a `WireFault` for
   * one that cannot be.
   */
  constructor(lengthOf: (bytes: Buffer, at: number) => number) {
    this.#lengthOf = lengthOf
  }

  /** Whether a message has begun, and its end has not come. */
  get within(): boolean {
    return this.#had > 0 || this.#remaining > 0
  }

  /** Messages that began in what was walked over last. */
  get begun(): number {
    return this.#begun
  }

  /**
   * Ends what is under way, and walks over all messages of this type behind it. Returns where one
   * of another type begins, or the chunk ends.
   */
  walk(chunk: Buffer, from: number, type: number): number {
    this.#begun = 0
    let at = from
    for (;;) {
      if (this.#had > 0) at = this.#goOnWithHead(chunk, at)
      const count = Math.min(this.#remaining, chunk.length - at)
      this.#remaining -= count
      at += count
      if (this.within || chunk[at] !== type) return at
      this.#begun += 1
      if (chunk.length - at < 5) {
        this.#had = chunk.copy(this.#head, 0, at)
        return chunk.length
      }
      this.#remaining = this.#lengthOf(chunk, at)
    }
  }

  #goOnWithHead(chunk: Buffer, at: number): number {
    const count = chunk.copy(this.#head, this.#had, at, at + 5 - this.#had)
    this.#had += count
    if (this.#had === 5) {
      this.#had = 0
      this.#remaining = this.#lengthOf(this.#head, 0) - 5
    }
    return at + count
  }
}
