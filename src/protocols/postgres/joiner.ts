/**
 * Joins pieces that lie side by side in memory because they came in one chunk. One system call
 * costs more than everything else that we do with the bytes it writes.
 */
export class Joiner {
  readonly #write: (bytes: Buffer) => void
  #first: Buffer | null = null
  // Bytes of the first piece and of all that follow it in memory.
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

  /** Writes what is kept. To be called before waiting for anything. */
  flush(): void {
    const first = this.#first
    if (!first) return
    this.#first = null
    const { buffer, byteOffset, length } = first
    this.#write(length === this.#length ? first : Buffer.from(buffer, byteOffset, this.#length))
  }
}
