import { performance } from 'node:perf_hooks'

// Milliseconds by which the estimate may go back through its own error. Beyond that, the database's
// clock was set back, and its time is what has to be recorded.
const jitter = 1_000

/** An estimate of the database's clock, which each answer with a time corrects. */
export class DatabaseClock {
  // Owned by correct(): what to add to the monotonic clock.
  #offset = Date.now() - performance.now()
  // Owned by now(): its last answer.
  #last = 0

  /** Milliseconds since 1970. Never goes back unless the database's clock does. */
  now(): number {
    const estimate = Math.floor(performance.now() + this.#offset)
    if (estimate >= this.#last || this.#last - estimate > jitter) this.#last = estimate
    return this.#last
  }

  /**
   * Corrects the estimate. The database read `time` at some moment between `sent` and now (both on
   * the monotonic clock). The estimate moves only as far as that requires, so a slow answer, which
   * says little, changes little.
   */
  correct(time: number, sent: number): void {
    const least = time - performance.now()
    const most = time - sent
    this.#offset = Math.min(Math.max(this.#offset, least), most)
  }
}
