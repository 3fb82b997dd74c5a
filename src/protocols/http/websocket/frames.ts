/**
 * A stream that is not framed as RFC 6455 says: one side could read in it what the other did not
 * say.
 */
class FrameError extends Error {
  override readonly name = 'FrameError'
}

/**
 * Counts the frames of one direction of a WebSocket (RFC 6455 §5.2). Bytes in, numbers out: it
 * keeps none of them, undoes no masks and unpacks nothing, so what is said is passed on as it is,
 * and known to nobody here.
 */
export class FrameCounter {
  readonly #masked: boolean
  frames = 0
  bytes = 0
  // Owned by count(): the head of a frame as far as it has come, and how much of the frame's
  // payload has not.
  readonly #head = Buffer.alloc(14)
  #have = 0
  #missing = 0n

  /** `masked`: from a client, whose frames are, as those of a server are not (§5.1). */
  constructor(masked: boolean) {
    this.#masked = masked
  }

  /** Whether the bytes so far end where a frame does. */
  get atBoundary(): boolean {
    return this.#have === 0 && this.#missing === 0n
  }

  /** Throws `FrameError`. */
  count(bytes: Buffer): void {
    this.bytes += bytes.length
    let at = 0
    while (at < bytes.length) {
      if (this.#missing > 0n) {
        const left = bytes.length - at
        const taken = this.#missing < BigInt(left) ? Number(this.#missing) : left
        this.#missing -= BigInt(taken)
        at += taken
        continue
      }
      this.#head[this.#have++] = bytes[at++]!
      if (this.#have === 2) this.#check()
      if (this.#have >= 2 && this.#have === this.#headLength()) this.#begin()
    }
  }

  #headLength(): number {
    const length = this.#head[1]! & 127
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (this.#masked ? 4 : 0)
  }

  #check(): void {
    const [first = 0, second = 0] = this.#head
    const masked = (second & 128) !== 0
    if (masked !== this.#masked) throw new FrameError('A frame is masked wrongly.')
    // Frames of control are short and whole (§5.5).
    if ((first & 8) !== 0 && ((second & 127) > 125 || (first & 128) === 0))
      throw new FrameError('A frame of control is too long, or in pieces.')
  }

  #begin(): void {
    const short = this.#head[1]! & 127
    this.#missing = BigInt(short)
    if (short === 126) this.#missing = BigInt(this.#head.readUInt16BE(2))
    if (short === 127) this.#missing = this.#head.readBigUInt64BE(2)
    // The most significant bit is 0 (§5.2).
    if (this.#missing >= 1n << 63n) throw new FrameError('A frame has a length that none has.')
    this.frames++
    this.#have = 0
  }
}
