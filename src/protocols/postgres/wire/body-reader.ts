import { isUtf8 } from 'node:buffer'
import { NotUtf8, WireFault } from './fault.ts'

/**
 * Reads the body of one message from its beginning to its end. Throws a `WireFault` when it is too
 * short, too long or not UTF-8 (`NotUtf8`).
 */
export class BodyReader {
  readonly #body: Buffer
  #at: number

  /** `at`: where in it the body begins. */
  constructor(body: Buffer, at = 0) {
    this.#body = body
    this.#at = at
  }

  /**
   * Text up to a NUL. Every connection is encoded in UTF-8; bytes that are not would be read
   * differently by somebody else.
   */
  text(): string {
    const end = this.#body.indexOf(0, this.#at)
    if (end < 0) throw new WireFault('invalid string in message')
    const begin = this.#at
    this.#at = end + 1
    const text = this.#body.toString('utf8', begin, end)
    // Decoding turns invalid bytes into this character, but it may also have been in the text.
    if (text.includes('\ufffd')) requireUtf8(this.#body.subarray(begin, end))
    return text
  }

  byte(): number {
    return this.#body[this.#past(1)]!
  }

  int16(): number {
    return this.#body.readInt16BE(this.#past(2))
  }

  uint16(): number {
    return this.#body.readUInt16BE(this.#past(2))
  }

  int32(): number {
    return this.#body.readInt32BE(this.#past(4))
  }

  uint32(): number {
    return this.#body.readUInt32BE(this.#past(4))
  }

  bytes(count: number): Buffer {
    const begin = this.#past(count)
    return this.#body.subarray(begin, this.#at)
  }

  rest(): Buffer {
    return this.bytes(this.#body.length - this.#at)
  }

  get atEnd(): boolean {
    return this.#at === this.#body.length
  }

  /**
   * To be called last, to refuse trailing bytes. A reader more lenient than the server could read
   * something else than the server does.
   */
  end(): void {
    if (!this.atEnd) throw new WireFault('invalid message format')
  }

  /** Moves past `count` bytes, and returns where they begin. */
  #past(count: number): number {
    const begin = this.#at
    if (count < 0 || begin + count > this.#body.length) throw tooShort()
    this.#at = begin + count
    return begin
  }
}

function requireUtf8(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new NotUtf8(invalidSequence(bytes))
}

/** Bytes that are searched for the invalid sequence. Beyond that, the error does not name it. */
const lookedAt = 64 * 1024

/**
 * The sequence that the server would name in its error: as many bytes as the first of them
 * announces (`pg_utf_mblen`).
 */
function invalidSequence(bytes: Buffer): Buffer {
  for (let at = 0; at < Math.min(bytes.length, lookedAt);) {
    const sequence = bytes.subarray(at, at + announcedLength(bytes[at]!))
    if (!isUtf8(sequence)) return sequence
    at += sequence.length
  }
  return bytes.subarray(0, 0)
}

function announcedLength(first: number): number {
  if ((first & 0xe0) === 0xc0) return 2
  if ((first & 0xf0) === 0xe0) return 3
  return (first & 0xf8) === 0xf0 ? 4 : 1
}

function tooShort(): WireFault {
  return new WireFault('insufficient data left in message')
}
