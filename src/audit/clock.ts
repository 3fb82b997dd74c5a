import { performance } from 'node:perf_hooks'

// Below this, going back is the error of the estimate; beyond it, the database's clock was set
// back, and that is what has to be recorded.
const jitter = 1_000

/**
 * The database's clock, estimated here: each answer that carries its time corrects the estimate.
 */
export class DatabaseClock {
  // Owned by correct(): what to add to the monotonic clock.
  #offset = Date.now() - performance.now()
  // Owned by now(): its last answer.
  #last = 0

  /** Milliseconds since the epoch; does not go back as long as the database's clock does not. */
  now(): number {
    const estimate = Math.floor(performance.now() + this.#offset)
    if (estimate >= this.#last || this.#last - estimate > jitter) this.#last = estimate
    return this.#last
  }

  /**
   * `time`, as the database read it between `sent` and now, both on the monotonic clock. That
   * leaves room, and the estimate stays where it is within it: a slow answer says little, and so
   * changes little.
   */
  correct(time: number, sent: number): void {
    const least = time - performance.now()
    const most = time - sent
    this.#offset = Math.min(Math.max(this.#offset, least), most)
  }
}
