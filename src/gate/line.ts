/**
 * Where many want to do the same, and only one can at a time: they line up here, and not in the
 * database, where each would hold a session while it waits for its lock. What one of them does may
 * settle it for all who are in line; else the next one tries.
 */
export class Line<Done> {
  // Owned by enter() and #leave(): who is behind the first one, who has no entry.
  readonly #lines = new Map<string, ((settled: Done | null) => void)[]>()

  /**
   * Resolves to what `work` did, or to what settled it before its turn. `settles`: what it means
   * for the others; `null`, if they have to try themselves.
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
