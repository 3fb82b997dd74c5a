import { isUtf8 } from 'node:buffer'
import { NotUtf8, WireFault } from './fault.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads the body of one message from its beginning to its end. Throws a `WireFault` when it is too short, too long or not UTF-8 (`NotUtf8`). */
export class BodyReader {
  readonly #body: Buffer
  #at = 0

  constructor(body: Buffer) {
    this.#body = body
  }

  /** Text up to a NUL. The encoding of every connection is UTF-8: bytes that are not would be read in another way by somebody else. */
  text(): string {
    const end = this.#body.indexOf(0, this.#at)
    if (end < 0) throw new WireFault('invalid string in message')
    const bytes = this.#body.subarray(this.#at, end)
    this.#at = end + 1
    try {
      return utf8.decode(bytes)
    } catch {
      throw new NotUtf8(invalidSequence(bytes))
    }
  }

  byte(): number {
    return this.bytes(1)[0]!
  }

  int16(): number {
    return this.bytes(2).readInt16BE(0)
  }

  uint16(): number {
    return this.bytes(2).readUInt16BE(0)
  }

  int32(): number {
    return this.bytes(4).readInt32BE(0)
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE(0)
  }

  bytes(count: number): Buffer {
    if (count < 0 || this.#at + count > this.#body.length) throw tooShort()
    const bytes = this.#body.subarray(this.#at, this.#at + count)
    this.#at += count
    return bytes
  }

  rest(): Buffer {
    return this.bytes(this.#body.length - this.#at)
  }

  get atEnd(): boolean {
    return this.#at === this.#body.length
  }

  /** To be called last: a reader that is more lenient than the server would read something else than it. */
  end(): void {
    if (!this.atEnd) throw new WireFault('invalid message format')
  }
}

/** Bytes in which the first that is wrong is looked for. Behind that, nobody is told which it was. */
const lookedAt = 64 * 1024

/** What the server would name: as many bytes as the first of them announces (`pg_utf_mblen`). */
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
