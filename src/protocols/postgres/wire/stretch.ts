/**
 * Walks over consecutive messages of one kind without looking into them. Counts them in the pieces
 * in which they come, and never puts one together: there may be millions, and one may be larger
 * than memory.
 */
export class Stretch {
  readonly #lengthOf: (bytes: Buffer, at: number) => number
  // Owned by walk(): the bytes that have come of a header that is cut, how many those are, and how
  // many are still to come of a message whose header is known.
  readonly #head = Buffer.alloc(5)
  #had = 0
  #remaining = 0
  #begun = 0

  /**
   * `lengthOf`: the length in bytes of the whole message whose header begins there. Throws a
   * `WireFault` for an impossible one.
   */
  constructor(lengthOf: (bytes: Buffer, at: number) => number) {
    this.#lengthOf = lengthOf
  }

  /** Whether a message has begun and its end has not come. */
  get within(): boolean {
    return this.#had > 0 || this.#remaining > 0
  }

  /** How many messages began in the last walk. */
  get begun(): number {
    return this.#begun
  }

  /**
   * Finishes the message that is under way, and walks over all that follow it with this type.
   * Returns where a message of another type begins, or the chunk ends.
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
