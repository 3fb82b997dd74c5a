/**
 * Runs at most so many pieces of work at a time; the others wait for their turn, in order. So a
 * flood of one kind leaves room for everything else.
 */
export class AtMost {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atATime: number) {
    this.#free = atATime
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    // Whoever ends hands over its turn, so nobody comes in between.
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
