/**
 * Puts pieces together again that lie side by side in memory, since they came in one chunk: a
 * system call costs more than everything that was done with what it writes.
 */
export class Joiner {
  readonly #write: (bytes: Buffer) => void
  #first: Buffer | null = null
  // Bytes of what lies behind the first one, and of that itself.
  #length = 0

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  add(bytes: Buffer): void {
    const first = this.#first
    if (first?.buffer === bytes.buffer && first.byteOffset + this.#length === bytes.byteOffset) {
      this.#length += bytes.length
      return
    }
    this.flush()
    this.#first = bytes
    this.#length = bytes.length
  }

  /** Writes what is kept. To be called before anybody waits. */
  flush(): void {
    const first = this.#first
    if (!first) return
    this.#first = null
    const { buffer, byteOffset, length } = first
    this.#write(length === this.#length ? first : Buffer.from(buffer, byteOffset, this.#length))
  }
}
