/** Over all sessions of a listener, and what one of them may always have. Each takes 1.2 KiB. */
const limits = { most: 100_000, always: 1_000 }

/**
 * Counts the writes that wait for the end of their transactions: what became of them is not known
 * before, and so they have to be remembered.
 */
export class Uncommitted {
  readonly #limits: typeof limits
  #count = 0

  constructor(within = limits) {
    this.#limits = within
  }

  add(change: number): void {
    this.#count += change
  }

  /** Whether a session that has `own` of them may have one more. */
  hasRoomFor(own: number): boolean {
    return own < this.#limits.always || this.#count < this.#limits.most
  }
}
