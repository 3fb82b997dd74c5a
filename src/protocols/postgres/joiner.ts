/**
 * Puts pieces together again that lie side by side in memory, since they came in one chunk: a system call costs more than everything that was done with what it
 * writes.
 */
export class Joiner {
  readonly #write: (bytes: Buffer) => void
  #kept: Buffer | null = null

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  add(bytes: Buffer): void {
    const kept = this.#kept
    if (kept && kept.buffer === bytes.buffer && endOf(kept) === bytes.byteOffset) {
      this.#kept = Buffer.from(kept.buffer, kept.byteOffset, kept.length + bytes.length)
      return
    }
    if (kept) this.#write(kept)
    this.#kept = bytes
  }

  /** Writes what is kept. To be called before anybody waits. */
  flush(): void {
    if (this.#kept) this.#write(this.#kept)
    this.#kept = null
  }
}

const endOf = ({ byteOffset, length }: Buffer): number => byteOffset + length
