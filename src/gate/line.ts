/**
 * A queue for callers who want the same thing, which only one can do at a time. They queue here and
 * not in the database, where each would hold a session while it waits for a lock. The result of one
 * may settle it for all in the queue; otherwise the next one tries.
 */
export class Line<Done> {
  // Owned by enter() and #leave(): by key, those who wait behind the one whose turn it is.
  readonly #lines = new Map<string, ((settled: Done | null) => void)[]>()

  /**
   * Resolves to the result of `work`, or to what settled the matter before its turn. `settles`:
   * what a result means for the others; `null` if they have to try themselves.
   */
  async enter(
    key: string,
    work: () => Promise<Done>,
    settles: (done: Done) => Done | null,
  ): Promise<Done> {
    const line = this.#lines.get(key)
    if (line) {
      const settled = await new Promise<Done | null>((resolve) => line.push(resolve))
      if (settled !== null) return settled
    } else {
      this.#lines.set(key, [])
    }
    let settled: Done | null = null
    try {
      const done = await work()
      settled = settles(done)
      return done
    } finally {
      this.#leave(key, settled)
    }
  }

  #leave(key: string, settled: Done | null): void {
    const line = this.#lines.get(key)!
    if (settled === null && line.length > 0) {
      line.shift()!(null)
      return
    }
    this.#lines.delete(key)
    for (const resolve of line) resolve(settled)
  }
}
