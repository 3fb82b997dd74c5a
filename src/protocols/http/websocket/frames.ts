/**
 * A stream that is not framed as RFC 6455 demands, in which one side could read what the other did
 * not say.
 */
class FrameError extends Error {
  override readonly name = 'FrameError'
}

/**
 * Counts the frames in one direction of a WebSocket (RFC 6455 §5.2). Bytes in, numbers out: it
 * keeps, unmasks and unpacks nothing, so everything is passed on unchanged and unread.
 */
export class FrameCounter {
  readonly #masked: boolean
  frames = 0
  bytes = 0
  // Owned by count(): the part of a frame's head that has come, and how much of its payload is
  // still to come.
  readonly #head = Buffer.alloc(14)
  #have = 0
  #missing = 0n

  /**
   * `masked`: whether the frames come from a client. Those are masked, and a server's are not
   * (§5.1).
   */
  constructor(masked: boolean) {
    this.#masked = masked
  }

  /** Whether the bytes so far end at the end of a frame. */
  get atBoundary(): boolean {
    return this.#have === 0 && this.#missing === 0n
  }

  /** Counts the frames in these bytes. Throws a `FrameError`. */
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
    // Control frames are short and never fragmented (§5.5).
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
