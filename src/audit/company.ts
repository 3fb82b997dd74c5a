import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds that what nobody waits for waits for company. */
const lingering = 10

/** Lets what can wait go together with what cannot. */
export class Company {
  // Owned by wait(): ends it; and its time limit. One that is still running from before is soon
  // enough: starting and stopping one for each batch costs more.
  #hurry: (() => void) | null = null
  #lingering: NodeJS.Timeout | null = null

  /** Something came that cannot wait. */
  hurry(): void {
    this.#hurry?.()
  }

  /**
   * Resolves when something came that cannot wait, with what came in the same turn, or after a
   * while. For one at a time.
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
