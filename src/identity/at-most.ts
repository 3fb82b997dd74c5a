/**
 * Runs a limited number of pieces of work at a time, and the others in order, so that a flood of
 * one kind leaves room for everything else.
 */
export class AtMost {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atATime: number) {
    this.#free = atATime
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    // Work that ends hands its turn over, so nobody can jump the queue.
    else await new Promise<void>((turn) => this.#waiting.push(turn))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}
