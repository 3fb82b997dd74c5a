/**
 * A cache of at most `capacity` entries, each with a time at which it expires. When it is full, the
 * oldest entry goes and has to be looked up again; that is all that a flood of entries can cause.
 */
export class Recent<Value> {
  readonly #capacity: number
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** `until` and `now` are milliseconds of the same clock. */
  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (now < entry.until) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: Value, until: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until })
    if (this.#entries.size <= this.#capacity) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest!)
  }

  clear(): void {
    this.#entries.clear()
  }

  get size(): number {
    return this.#entries.size
  }
}
