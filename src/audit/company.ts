import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds for which an event that nobody waits for may be delayed. */
const lingering = 10

/** Lets events that can wait share a transaction with those that cannot. */
export class Company {
  // Owned by wait(): what ends the wait, and its timer. A timer still running from an earlier wait
  // is good enough, because starting and stopping one for each batch costs more.
  #hurry: (() => void) | null = null
  #lingering: NodeJS.Timeout | null = null

  /** An event came that cannot wait. */
  hurry(): void {
    this.#hurry?.()
  }

  /**
   * Resolves when an event came that cannot wait, after everything else in the same turn, or after
   * a while. For one caller at a time.
   */
  async wait(): Promise<void> {
    if (this.#lingering === null) {
      this.#lingering = setTimeout(() => {
        this.#lingering = null
        this.#hurry?.()
      }, lingering)
    }
    await new Promise<void>((resolve) => (this.#hurry = resolve))
    this.#hurry = null
    await nextTurn()
  }
}
