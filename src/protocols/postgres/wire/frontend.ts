import { WireFault } from './fault.ts'
import { Stretch } from './stretch.ts'

/**
 * One whole message of a client. `bytes` is all of it as it came, `body` what follows its length.
 */
export interface FrontendMessage {
  /** One of the letters of `frontendTypes`. */
  readonly type: string
  readonly bytes: Buffer
  readonly body: Buffer
}

/** Consecutive CopyData messages, cut where the chunk ends. */
export interface FrontendRows {
  readonly bytes: Buffer
  /** How many messages begin here. */
  readonly begun: number
}

/** PostgreSQL documentation, "Message Formats": what a client may send after the start-up. */
const frontendTypes: ReadonlySet<number> = new Set(Buffer.from('QPBEDCSHdcfXpF'))

/** Messages that have no body at all. */
const bare: ReadonlySet<number> = new Set(Buffer.from('SHXc'))

const copyData = 0x64

const empty: Buffer = Buffer.alloc(0)

/**
 * Chunks of up to so many bytes are copied together, because each buffer takes hundreds of bytes by
 * itself; and the bytes of the buffer that they are gathered in.
 */
const small = 512
const space = 16 * 1024

/**
 * Takes bytes as they come, and gives back whole messages. Uses memory for what has arrived, never
 * for what was announced. Throws a `WireFault` for an unknown type, and for a length that is
 * impossible or above the limit; it is of no use after that.
 */
export class FrontendReader {
  readonly #limit: number
  // Owned by push() and #take(): chunks with bytes that were not given out yet, how many bytes of
  // the first chunk were, and how many of all chunks were not.
  #chunks: Buffer[] = []
  #at = 0
  #pending = 0
  // The buffer that small chunks are gathered in, and how much of it is filled.
  #space = empty
  #filled = 0
  readonly #rows = new Stretch((bytes, at) => this.#length(bytes, at))

  /** `limit`: bytes of the longest message. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes that have come and were not given out yet. */
  get pending(): number {
    return this.#pending
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#pending += chunk.length
    if (this.#chunks.length > 0 && chunk.length <= small) this.#gather(chunk)
    else this.#chunks.push(chunk)
  }

  /** Needed because a client may send each byte in a chunk of its own. */
  #gather(chunk: Buffer): void {
    const last = this.#chunks.at(-1)!
    const isIn = last.buffer === this.#space.buffer && this.#filled + chunk.length <= space
    if (!isIn) {
      this.#space = Buffer.allocUnsafeSlow(space)
      this.#filled = 0
    }
    chunk.copy(this.#space, this.#filled)
    const from = isIn ? this.#filled - last.length : 0
    this.#filled += chunk.length
    if (isIn) this.#chunks.pop()
    this.#chunks.push(this.#space.subarray(from, this.#filled))
  }

  /** Returns all bytes that have come and were not given out. */
  drain(): Buffer {
    return this.#pending > 0 ? this.#take(this.#pending) : empty
  }

  /** Whether part of a message was given out as rows, but not its end. */
  get within(): boolean {
    return this.#rows.within
  }

  /**
   * Rows as far as they have come, even if none is whole; `null` where none has come, or something
   * else comes next. `copying`: whether the server takes rows. A row that has begun is given out to
   * its end in any case, before any other message.
   */
  rows(copying: boolean): FrontendRows | null {
    const chunk = this.#chunks[0]
    if (!chunk || (!this.within && !(copying && chunk[this.#at] === copyData))) return null
    const end = this.#rows.walk(chunk, this.#at, copyData)
    return { bytes: this.#takeFirst(end - this.#at), begun: this.#rows.begun }
  }

  /** The next message, or `null` until more has come. */
  next(): FrontendMessage | null {
    const total = this.#nextLength()
    if (total === null || this.#pending < total) return null
    const bytes = this.#take(total)
    return { type: String.fromCharCode(bytes[0]!), bytes, body: bytes.subarray(5) }
  }

  /** Whether `next()` has a message. */
  get ready(): boolean {
    const total = this.#nextLength()
    return total !== null && this.#pending >= total
  }

  #nextLength(): number | null {
    if (this.#pending === 0) return null
    if (!frontendTypes.has(this.#chunks[0]![this.#at]!))
      throw new WireFault('invalid frontend message type')
    if (this.#pending < 5) return null
    this.#join(5)
    return this.#length(this.#chunks[0]!, this.#at)
  }

  /** The length in bytes of the whole message that begins there. */
  #length(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at + 1)
    if (length < 4 || (length !== 4 && bare.has(bytes[at]!)))
      throw new WireFault('invalid message length')
    if (length > this.#limit)
      throw new WireFault(`a message may have ${this.#limit} bytes at most`, '54000')
    return length + 1
  }

  #take(bytes: number): Buffer {
    this.#join(bytes)
    return this.#takeFirst(bytes)
  }

  #takeFirst(bytes: number): Buffer {
    const first = this.#chunks[0]!
    const begin = this.#at
    this.#at += bytes
    this.#pending -= bytes
    if (this.#at === first.length) {
      this.#chunks.shift()
      this.#at = 0
    }
    return first.subarray(begin, begin + bytes)
  }

  /** Makes the next `bytes` contiguous. */
  #join(bytes: number): void {
    const [first = empty, ...others] = this.#chunks
    if (first.length - this.#at >= bytes) return
    this.#chunks = [Buffer.concat([first.subarray(this.#at), ...others], this.#pending)]
    this.#at = 0
  }
}
