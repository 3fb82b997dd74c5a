import { WireFault } from './fault.ts'

/**
 * A stretch of what the server sent: one whole message; or, of the kinds that come in masses, several whole messages of one kind, or a part of a
 * long one.
 */
export interface BackendPiece {
  readonly type: string
  /** As they came, headers included. */
  readonly bytes: Buffer
  /** Messages that begin here. */
  readonly begun: number
  /** Whether the last of them ends here. */
  readonly whole: boolean
}

/** PostgreSQL documentation, "Message Formats": what a server may send. */
const backendTypes = new Set('RKSZTDCIGHWdcENA123nstVv')

/** DataRow and CopyData are never looked into: they may be long, and there may be millions of them. */
const mass = new Set([0x44, 0x64])

/** Bytes of the longest other message: a RowDescription of 1,600 columns, an error with its whole query in it. */
const longest = 16 * 1024 * 1024

/**
 * Takes bytes as they come, and gives back stretches of them. Copies only what is cut in pieces and has to be looked into. Throws a `WireFault` for what no
 * server sends; it is of no use after that.
 */
export class BackendReader {
  // Owned by push() and next().
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #parts: Buffer[] = []
  /** Bytes that are still to come of a long message whose beginning is out. */
  #remaining = 0
  #type = ''

  /** Only when `next()` has said `null`. */
  push(chunk: Buffer): void {
    if (this.#parts.length > 0) {
      this.#parts.push(chunk)
      const size = this.#parts.reduce((sum, part) => sum + part.length, 0)
      const needed = this.#needed(this.#parts[0]!)
      // Only once there is enough: joining at every chunk would cost the square of the length.
      if (needed !== null && size < needed) return
      this.#chunk = Buffer.concat(this.#parts, size)
      this.#parts = []
    } else {
      this.#chunk = chunk
    }
    this.#at = 0
  }

  /** Takes what has come, and was not given out. */
  drain(): Buffer {
    const rest = Buffer.concat([...this.#parts, this.#chunk.subarray(this.#at)])
    this.#parts = []
    this.#at = this.#chunk.length
    return rest
  }

  /** Whether a message has begun, and its end has not been given out. */
  get within(): boolean {
    return this.#remaining > 0
  }

  next(): BackendPiece | null {
    const left = this.#chunk.length - this.#at
    if (left === 0) return null
    if (this.#remaining > 0) return this.#more(left)
    if (left < 5) return this.#keep()
    const type = this.#chunk[this.#at]!
    const length = this.#length(this.#chunk, this.#at)
    if (mass.has(type)) return this.#masses(type, length)
    if (left < length) return this.#keep()
    return this.#piece(type, length, 1)
  }

  #more(left: number): BackendPiece {
    const count = Math.min(left, this.#remaining)
    this.#remaining -= count
    const bytes = this.#chunk.subarray(this.#at, this.#at + count)
    this.#at += count
    return { type: this.#type, bytes, begun: 0, whole: this.#remaining === 0 }
  }

  #masses(type: number, first: number): BackendPiece {
    const chunk = this.#chunk
    const end = chunk.length
    if (this.#at + first > end) {
      this.#remaining = this.#at + first - end
      this.#type = String.fromCharCode(type)
      const bytes = chunk.subarray(this.#at)
      this.#at = end
      return { type: this.#type, bytes, begun: 1, whole: false }
    }
    let to = this.#at + first
    let count = 1
    while (to + 5 <= end && chunk[to] === type) {
      const next = to + this.#length(chunk, to)
      if (next > end) break
      to = next
      count += 1
    }
    return this.#piece(type, to - this.#at, count)
  }

  #piece(type: number, length: number, begun: number): BackendPiece {
    const bytes = this.#chunk.subarray(this.#at, this.#at + length)
    this.#at += length
    return { type: String.fromCharCode(type), bytes, begun, whole: true }
  }

  #keep(): null {
    // A copy: what the chunk is a part of may be large.
    this.#parts = [Buffer.from(this.#chunk.subarray(this.#at))]
    this.#at = this.#chunk.length
    return null
  }

  #needed(head: Buffer): number | null {
    return head.length < 5 ? null : this.#length(head, 0)
  }

  /** Of the whole message that begins there. */
  #length(bytes: Buffer, at: number): number {
    const type = bytes[at]!
    const length = bytes.readUInt32BE(at + 1)
    if (!backendTypes.has(String.fromCharCode(type)) || length < 4 || length > 0x7fff_ffff)
      throw new WireFault('the server sent something that is not the protocol')
    if (!mass.has(type) && length > longest)
      throw new WireFault('the server sent a message that is too long')
    return length + 1
  }
}
