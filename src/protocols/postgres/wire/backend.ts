import { WireFault } from './fault.ts'
import { Stretch } from './stretch.ts'

/**
 * A piece of what the server sent: one whole message; or, for kinds that come in masses, all
 * consecutive messages of that kind in a chunk, cut where the chunk ends.
 */
export interface BackendPiece {
  readonly type: string
  /** The bytes as they came, headers included. */
  readonly bytes: Buffer
  /** How many messages begin here. */
  readonly begun: number
  /** Whether the last of them ends here. */
  readonly whole: boolean
}

/** PostgreSQL documentation, "Message Formats": what a server may send. */
const backendTypes: ReadonlySet<number> = new Set(Buffer.from('RKSZTDCIGHWdcENA123nstVv'))

/** DataRow and CopyData. They are never looked into: there may be millions, each of any length. */
const mass = new Set([0x44, 0x64])

/**
 * Bytes of the longest message of any other kind, such as a RowDescription of 1,600 columns or an
 * error that quotes its whole query.
 */
const longest = 16 * 1024 * 1024

/**
 * Takes bytes as they come, and gives them back in pieces. Copies only messages that are cut and
 * have to be looked into. Throws a `WireFault` for what no server sends, and is of no use after
 * that.
 */
export class BackendReader {
  // Owned by push() and next().
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #parts: Buffer[] = []
  readonly #stretch = new Stretch((bytes, at) => this.#length(bytes, at))
  // The type of message that `#stretch` is in.
  #type = 0

  /**
   * To be called only after `next()` has returned `null`. Bytes that were pushed earlier may be
   * overwritten from then on.
   */
  push(chunk: Buffer): void {
    if (this.#parts.length > 0) {
      this.#parts.push(Buffer.from(chunk))
      const size = this.#parts.reduce((sum, part) => sum + part.length, 0)
      const needed = this.#needed(this.#parts[0]!)
      // Join only once there is enough: joining at every chunk would take quadratic time.
      if (needed !== null && size < needed) return
      this.#chunk = Buffer.concat(this.#parts, size)
      this.#parts = []
    } else {
      this.#chunk = chunk
    }
    this.#at = 0
  }

  /** Returns all bytes that have come and were not given out. */
  drain(): Buffer {
    const rest = Buffer.concat([...this.#parts, this.#chunk.subarray(this.#at)])
    this.#parts = []
    this.#at = this.#chunk.length
    return rest
  }

  /** Whether part of a message has been given out, but not its end. */
  get within(): boolean {
    return this.#stretch.within
  }

  next(): BackendPiece | null {
    const left = this.#chunk.length - this.#at
    if (left === 0) return null
    if (this.within) return this.#masses(this.#type)
    const type = this.#chunk[this.#at]!
    if (mass.has(type)) return this.#masses(type)
    if (left < 5) return this.#keep()
    const length = this.#length(this.#chunk, this.#at)
    if (left < length) return this.#keep()
    return this.#piece(type, length, 1)
  }

  #masses(type: number): BackendPiece {
    this.#type = type
    const end = this.#stretch.walk(this.#chunk, this.#at, type)
    return this.#piece(type, end - this.#at, this.#stretch.begun)
  }

  #piece(type: number, length: number, begun: number): BackendPiece {
    const bytes = this.#chunk.subarray(this.#at, this.#at + length)
    this.#at += length
    return { type: String.fromCharCode(type), bytes, begun, whole: !this.within }
  }

  #keep(): null {
    // A copy, because the chunk may be a small part of a large buffer.
    this.#parts = [Buffer.from(this.#chunk.subarray(this.#at))]
    this.#at = this.#chunk.length
    return null
  }

  #needed(head: Buffer): number | null {
    return head.length < 5 ? null : this.#length(head, 0)
  }

  /** The length in bytes of the whole message that begins there. */
  #length(bytes: Buffer, at: number): number {
    const type = bytes[at]!
    const length = bytes.readUInt32BE(at + 1)
    if (!backendTypes.has(type) || length < 4 || length > 0x7fff_ffff)
      throw new WireFault('the server sent something that is not the protocol')
    if (!mass.has(type) && length > longest)
      throw new WireFault('the server sent a message that is too long')
    return length + 1
  }
}
