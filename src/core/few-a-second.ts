/**
 * Lets a number of things a second pass, and counts the others. For events that cost their sender
 * next to nothing, and must not be able to fill the audit log.
 */
export class FewASecond {
  readonly #most: number
  // Owned by pass().
  #second = 0
  #passed = 0
  #leftOut = 0

  constructor(most: number) {
    this.#most = most
  }

  /** How many were left out since the last one that passed; `null` if this one is left out too. */
  pass(): number | null {
    const now = Math.floor(performance.now() / 1000)
    if (now !== this.#second) {
      this.#second = now
      this.#passed = 0
    }
    if (this.#passed === this.#most) {
      this.#leftOut += 1
      return null
    }
    this.#passed += 1
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }
}
