import { WireFault } from './fault.ts'
import { Stretch } from './stretch.ts'

/** One whole message of a client. `bytes` is all of it, as it came; `body` what follows its length. */
export interface FrontendMessage {
  /** One of the letters of `frontendTypes`. */
  readonly type: string
  readonly bytes: Buffer
  readonly body: Buffer
}

/** What has come of CopyData messages, one behind the other; cut where the chunk was. */
export interface FrontendRows {
  readonly bytes: Buffer
  /** Messages that begin here. */
  readonly begun: number
}

/** PostgreSQL documentation, "Message Formats": what a client may send after the start-up. */
const frontendTypes = new Set('QPBEDCSHdcfXpF')

/** Messages that have no body at all. */
const bare = new Set('SHXc')

const copyData = 0x64

const empty: Buffer = Buffer.alloc(0)

/** Bytes of a chunk that is not kept by itself, since it takes hundreds more than it has; and of what such are gathered in. */
const small = 512
const space = 16 * 1024

/**
 * Takes bytes as they come, and gives back whole messages. Keeps what has arrived, never what was announced. Throws a `WireFault` for an unknown
 * type, and for a length that cannot be or is above the limit; it is of no use after that.
 */
export class FrontendReader {
  readonly #limit: number
  // Owned by push() and #take(): chunks that belong to messages that are not out yet.
  #chunks: Buffer[] = []
  #pending = 0
  // What the last chunk is in, where that was gathered of small ones, and how much of it is filled.
  #space = empty
  #filled = 0
  readonly #rows = new Stretch((bytes, at) => this.#length(bytes, at))

  /** `limit`: bytes of the longest message. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes that have come, and are not given out yet. */
  get pending(): number {
    return this.#pending
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#pending += chunk.length
    if (this.#chunks.length > 0 && chunk.length <= small) this.#gather(chunk)
    else this.#chunks.push(chunk)
  }

  /** A client may send each byte by itself. */
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

  /** Takes what has come, and was not given out. */
  drain(): Buffer {
    const rest = Buffer.concat(this.#chunks, this.#pending)
    this.#chunks = []
    this.#pending = 0
    return rest
  }

  /** Whether a part of a message was given out as rows, and its end was not. */
  get within(): boolean {
    return this.#rows.within
  }

  /**
   * What has come of rows, before any of them is whole; `null` where none has come, or what comes next is something else. `copying`: whether rows are asked for; what has begun is given
   * out to its end in any case, and before any other message.
   */
  rows(copying: boolean): FrontendRows | null {
    const chunk = this.#chunks[0]
    if (!chunk || (!this.within && !(copying && chunk[0] === copyData))) return null
    const bytes = this.#takeFirst(this.#rows.walk(chunk, 0, copyData))
    return { bytes, begun: this.#rows.begun }
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
    const type = String.fromCharCode(this.#chunks[0]![0]!)
    if (!frontendTypes.has(type)) throw new WireFault('invalid frontend message type')
    if (this.#pending < 5) return null
    return this.#length(this.#head(5), 0)
  }

  /** Of the whole message that begins there. */
  #length(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32BE(at + 1)
    const isBare = bare.has(String.fromCharCode(bytes[at]!))
    if (length < 4 || (isBare && length !== 4)) throw new WireFault('invalid message length')
    if (length > this.#limit)
      throw new WireFault(`a message may have ${this.#limit} bytes at most`, '54000')
    return length + 1
  }

  /** The first bytes, in one piece. */
  #head(bytes: number): Buffer {
    if (this.#chunks[0]!.length < bytes) this.#join()
    return this.#chunks[0]!
  }

  #take(bytes: number): Buffer {
    if (this.#chunks[0]!.length < bytes) this.#join()
    return this.#takeFirst(bytes)
  }

  #takeFirst(bytes: number): Buffer {
    const first = this.#chunks[0] ?? empty
    this.#pending -= bytes
    if (first.length === bytes) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(bytes)
    return first.subarray(0, bytes)
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks, this.#pending)]
  }
}
