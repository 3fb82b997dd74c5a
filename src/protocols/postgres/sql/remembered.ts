/** Bytes that every entry takes besides its text, estimated. */
const overhead = 1_000

/**
 * A cache keyed by texts, bounded by bytes rather than by entries. The least recently used entry
 * goes first.
 */
export class Remembered<Value> {
  readonly #limit: number
  // A Map keeps the order in which keys were set; get() moves its key to the end.
  readonly #entries = new Map<string, { readonly value: Value; readonly bytes: number }>()
  #bytes = 0

  /** `limit`: in estimated bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /**
   * `bytes`: an estimate of what the value takes, without the key. An entry that would fill a tenth
   * of the cache is not kept.
   */
  set(key: string, value: Value, bytes: number): void {
    const cost = bytes + key.length * 2 + overhead
    if (cost > this.#limit / 10) return
    this.#drop(key)
    this.#entries.set(key, { value, bytes: cost })
    this.#bytes += cost
    for (const [oldest] of this.#entries) {
      if (this.#bytes <= this.#limit) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}
