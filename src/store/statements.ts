import { StoreError, type Prepared, type Together } from './db.ts'

/** Bytes of a new buffer. The events of a few actions need fewer. */
const usual = 16 * 1024
// Buffers are used again, because each new one is memory outside V8's heap, which triggers garbage
// collection. As many are kept as sessions usually send at once.
const spare: Buffer[] = []
const mostSpare = 4
/** The largest buffer that is kept, in bytes. Few batches need more. */
const largestSpare = 1024 * 1024
/** Microseconds from 1970-01-01 to PostgreSQL's epoch, 2000-01-01, and in a millisecond. */
const epoch = 946_684_800_000_000
const perMillisecond = 1_000

/** Texts up to so many characters are encoded by hand. */
const short = 64

const uuidArray = { element: 2950, size: 16 }
const bigintArray = { element: 20, size: 8 }

const dash = '-'.charCodeAt(0)
const notHex = 0x10
/** By character code. */
const hexDigits = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? notHex : digit
})

const execute = Buffer.from('E\0\0\0\x09\0\0\0\0\0', 'latin1')
const sync = Buffer.from('S\0\0\0\x04', 'latin1')
const nothing = Buffer.alloc(0)

/**
 * Statements that are sent together, with values in the binary formats of their types (PostgreSQL,
 * `src/backend/utils/adt/*_send`), all in one buffer. `begin` each statement, and then give it as
 * many values as it has parameters. `null` stands for SQL's NULL.
 */
export class Statements implements Together {
  readonly #names = new Map<string, string>()
  // Given back by sent().
  #bytes = spare.pop() ?? Buffer.allocUnsafeSlow(usual)
  #at = 0
  // Where the length of the latest statement belongs; 0 before the first.
  #length = 0

  begin({ name, text }: Prepared, parameters: number): this {
    this.#end()
    this.#names.set(name, text)
    this.#room(name.length + 64)
    this.#bytes[this.#at] = 0x42
    this.#length = this.#at + 1
    // The unnamed portal.
    this.#bytes[this.#at + 5] = 0
    this.#at += 6
    this.#at += this.#bytes.write(name, this.#at, 'latin1')
    this.#bytes[this.#at++] = 0
    // One format for all values: binary.
    this.#at = this.#bytes.writeInt16BE(1, this.#at)
    this.#at = this.#bytes.writeInt16BE(1, this.#at)
    this.#at = this.#bytes.writeUInt16BE(parameters, this.#at)
    return this
  }

  text(value: string | null | undefined): this {
    if (value === null || value === undefined) return this.#null()
    this.#room(4 + most(value))
    const length = this.#encode(value, this.#at + 4)
    this.#int32(length)
    this.#at += length
    return this
  }

  /** Throws a `StoreError` for anything but a UUID, as the server would. */
  uuid(value: string | null | undefined): this {
    if (value === null || value === undefined) return this.#null()
    this.#room(20)
    this.#int32(16)
    this.#uuid(value)
    return this
  }

  bigint(value: number | null): this {
    if (value === null) return this.#null()
    this.#room(12)
    this.#int32(8)
    this.#bigint(value)
    return this
  }

  /** `timestamptz`, from milliseconds since the epoch. */
  time(milliseconds: number): this {
    return this.bigint(milliseconds * perMillisecond - epoch)
  }

  bytes(value: Uint8Array | null | undefined): this {
    if (value === null || value === undefined) return this.#null()
    this.#room(4 + value.length)
    this.#int32(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** A `bytea` of these texts in hex, concatenated. */
  hex(values: readonly string[]): this {
    let length = 0
    for (const value of values) length += value.length >> 1
    this.#room(4 + length)
    this.#int32(length)
    for (const value of values) this.#at += this.#bytes.write(value, this.#at, 'hex')
    return this
  }

  uuids(values: readonly string[]): this {
    this.#array(uuidArray, values.length)
    for (const value of values) {
      this.#int32(uuidArray.size)
      this.#uuid(value)
    }
    return this
  }

  bigints(values: readonly number[]): this {
    this.#array(bigintArray, values.length)
    for (const value of values) {
      this.#int32(bigintArray.size)
      this.#bigint(value)
    }
    return this
  }

  messages(known: ReadonlySet<string>): { bytes: Buffer; read: readonly string[] } {
    this.#end()
    this.#room(sync.length)
    this.#bytes.set(sync, this.#at)
    const bound = this.#bytes.subarray(0, this.#at + sync.length)
    const read = [...this.#names.keys()].filter((name) => !known.has(name))
    if (read.length === 0) return { bytes: bound, read }
    const parses = read.map((name) => parse(name, this.#names.get(name)!))
    return { bytes: Buffer.concat([...parses, bound]), read }
  }

  sent(): void {
    const { length } = this.#bytes
    if (length > 0 && length <= largestSpare && spare.length < mostSpare) spare.push(this.#bytes)
    this.#bytes = nothing
  }

  #end(): void {
    if (this.#length === 0) return
    this.#room(2 + execute.length)
    // No result formats, which means text.
    this.#at = this.#bytes.writeInt16BE(0, this.#at)
    this.#bytes.writeInt32BE(this.#at - this.#length, this.#length)
    this.#bytes.set(execute, this.#at)
    this.#at += execute.length
    this.#length = 0
  }

  #array({ element, size }: typeof uuidArray, count: number): void {
    const length = 20 + count * (4 + size)
    this.#room(4 + length)
    // Dimensions, no nulls, the element type, the count, and the lower bound 1.
    const dimensions = count === 0 ? [12, 0, 0, element] : [length, 1, 0, element, count, 1]
    for (const field of dimensions) this.#int32(field)
  }

  #null(): this {
    this.#room(4)
    this.#int32(-1)
    return this
  }

  #bigint(value: number): void {
    this.#int32(Math.floor(value / 2 ** 32))
    this.#int32(value >>> 0)
  }

  /**
   * By hand, like the next two, because an event has thirty of them and Node's own methods check
   * more.
   */
  #int32(value: number): void {
    const bytes = this.#bytes
    const at = this.#at
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
    this.#at = at + 4
  }

  /** Writes a text in UTF-8 from `at` on, and returns the number of bytes. */
  #encode(value: string, at: number): number {
    const { length } = value
    const bytes = this.#bytes
    if (length > short) return bytes.write(value, at)
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return bytes.write(value, at)
      bytes[at + i] = code
    }
    return length
  }

  #uuid(value: string): void {
    const bytes = this.#bytes
    let at = this.#at
    let wrong = value.length === 36 ? 0 : notHex
    for (let i = 0; i < 36; i += 2) {
      if (i === 8 || i === 13 || i === 18 || i === 23) {
        if (value.charCodeAt(i) !== dash) wrong = notHex
        i += 1
      }
      const high = hexDigits[value.charCodeAt(i)] ?? notHex
      const low = hexDigits[value.charCodeAt(i + 1)] ?? notHex
      wrong |= (high | low) & notHex
      bytes[at++] = (high << 4) | low
    }
    this.#at = at
    if (wrong !== 0) throw noUuid(value)
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/**
 * The most bytes that a text can have. For short texts, counting exactly costs more than it saves.
 */
function most(text: string): number {
  return text.length < 4 * 1024 ? text.length * 3 : Buffer.byteLength(text)
}

/**
 * A Close and a Parse. The Close is no error if there is no such statement; there may be one,
 * because the last attempt may have got through.
 */
function parse(name: string, text: string): Buffer {
  const named = Buffer.from(`S${name}\0`)
  const body = Buffer.from(`${name}\0${text}\0\0\0`)
  return Buffer.concat([header('C', named), named, header('P', body), body])
}

function header(type: string, { length }: Buffer): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.write(type, 'latin1')
  bytes.writeInt32BE(length + 4, 1)
  return bytes
}

function noUuid(value: string): StoreError {
  const invalidText = '22P02'
  return new StoreError(invalidText, `invalid input syntax for type uuid: ${JSON.stringify(value)}`)
}
