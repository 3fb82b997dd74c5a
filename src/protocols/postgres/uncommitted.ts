/**
 * Writes that all sessions of a listener may have waiting, and those that each session may always
 * have. Each takes 1.2 KiB.
 */
const limits = { most: 100_000, always: 1_000 }

/**
 * Limits the writes that wait for the end of their transactions. Their outcomes are not known
 * before that, so they have to be remembered.
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

  /** Whether a session that has `own` writes waiting may have one more. */
  hasRoomFor(own: number): boolean {
    return own < this.#limits.always || this.#count < this.#limits.most
  }
}
