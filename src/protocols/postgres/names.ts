/** A change of what a name means, which the server has been asked for, and has not confirmed. */
export interface Announced<Value> {
  /** `null`: of all names. */
  readonly name: string | null
  /** `null`: it will mean nothing. */
  readonly value: Value | null
  readonly segment: number
}

/**
 * What names mean on the server: of prepared statements, of portals. A change counts when the
 * server has confirmed it. Before that, only what follows it in the same segment (as far as the
 * next Sync or Query) can rely on it: if the change fails, that is skipped too. What comes after
 * the segment is not skipped, and would meet what the name meant before.
 */
export class Names<Value> {
  readonly #confirmed = new Map<string, Value>()
  readonly #announced: Announced<Value>[] = []

  /** What is confirmed. */
  get all(): ReadonlyMap<string, Value> {
    return this.#confirmed
  }

  /** What any name means, or will. */
  *values(): Generator<Value> {
    yield* this.#confirmed.values()
    for (const { value } of this.#announced) if (value !== null) yield value
  }

  /** Whether everything is confirmed. */
  get settled(): boolean {
    return this.#announced.length === 0
  }

  /**
   * What this name will mean to a message in this segment; `null`: nothing; `unsure`: wait until
   * more is confirmed.
   */
  get(name: string, segment: number): Value | null | 'unsure' {
    const last = this.#announced.findLast((change) => change.name === name || change.name === null)
    if (!last) return this.#confirmed.get(name) ?? null
    // Whatever came of earlier changes: without this one, what follows it in the segment is
    // skipped.
    return last.segment === segment ? last.value : 'unsure'
  }

  announce(name: string | null, value: Value | null, segment: number): Announced<Value> {
    const change = { name, value, segment }
    this.#announced.push(change)
    return change
  }

  settle(change: Announced<Value>, succeeded: boolean): void {
    const at = this.#announced.indexOf(change)
    if (at >= 0) this.#announced.splice(at, 1)
    if (succeeded) this.set(change.name, change.value)
  }

  set(name: string | null, value: Value | null): void {
    if (name === null) this.#confirmed.clear()
    else if (value === null) this.#confirmed.delete(name)
    else this.#confirmed.set(name, value)
  }
}
