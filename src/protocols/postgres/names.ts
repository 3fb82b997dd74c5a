/** A change of a name's meaning that the server has been asked for and has not confirmed. */
export interface Announced<Value> {
  /** `null` stands for all names. */
  readonly name: string | null
  /** What the name will mean; `null` for nothing. */
  readonly value: Value | null
  readonly segment: number
}

/**
 * What the names of prepared statements, or of portals, mean on the server. A change counts once
 * the server has confirmed it. Until then, only messages in the same segment (up to the next Sync
 * or Query) can rely on it, because if the change fails, the server skips them too. Messages after
 * the segment are not skipped, and would meet the earlier meaning.
 */
export class Names<Value> {
  readonly #confirmed = new Map<string, Value>()
  readonly #announced: Announced<Value>[] = []

  /** The confirmed meanings. */
  get all(): ReadonlyMap<string, Value> {
    return this.#confirmed
  }

  /** All meanings, confirmed or announced. */
  *values(): Generator<Value> {
    yield* this.#confirmed.values()
    for (const { value } of this.#announced) if (value !== null) yield value
  }

  /** Whether everything is confirmed. */
  get settled(): boolean {
    return this.#announced.length === 0
  }

  /**
   * What the name will mean to a message in this segment: `null` for nothing, `unsure` where the
   * caller has to wait until more is confirmed.
   */
  get(name: string, segment: number): Value | null | 'unsure' {
    const last = this.#announced.findLast((change) => change.name === name || change.name === null)
    if (!last) return this.#confirmed.get(name) ?? null
    // Earlier changes do not matter: if this one fails, what follows it in its segment is skipped.
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
