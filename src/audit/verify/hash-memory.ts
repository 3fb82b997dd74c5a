const perChunk = 4_096
const bytes = 8

/** Remembers the beginning of each link's hash, by its place, in eight bytes a link. */
export class HashMemory {
  readonly #chunks = new Map<number, Buffer>()

  set(n: number, hash: string): void {
    const chunk = Math.floor(n / perChunk)
    let buffer = this.#chunks.get(chunk)
    if (!buffer) this.#chunks.set(chunk, (buffer = Buffer.alloc(perChunk * bytes)))
    buffer.write(hash.slice(0, bytes * 2), (n % perChunk) * bytes, 'hex')
  }

  has(n: number): boolean {
    return this.#at(n)?.some((byte) => byte !== 0) ?? false
  }

  matches(n: number, hash: string): boolean {
    return this.#at(n)?.toString('hex') === hash.slice(0, bytes * 2)
  }

  #at(n: number): Buffer | undefined {
    const start = (n % perChunk) * bytes
    return this.#chunks.get(Math.floor(n / perChunk))?.subarray(start, start + bytes)
  }
}
