import { isUtf8 } from 'node:buffer'
import type { Queryable } from './db.ts'

/** Values of one row, which are taken in the order of its columns. */
export interface Values {
  /** Of an `integer`. */
  integer(): number
  /** Of a `bigint`. Throws `RangeError` for one that a number does not hold exactly. */
  bigint(): number
  /** Of a `text`. */
  text(): string
  textOrNull(): string | null
  /** A copy. */
  bytes(): Buffer
  bytesOrNull(): Buffer | null
  /** Of a `bytea`: its text, or a copy of what is no UTF-8. */
  textOrBytes(): string | Buffer | null
}

/**
 * The rows of a query without parameters, as bytes (COPY … TO STDOUT (FORMAT binary)): for many
 * rows with `bytea`, a third of the driver's way and of its memory, and less for the server, which
 * writes no hex. What is put into the query is an `sqlInteger` or an `sqlUuid`. Rejects with
 * `StoreError`.
 */
export async function readCopied<Row>(
  db: Queryable,
  query: string,
  read: (values: Values) => Row,
): Promise<Row[]> {
  const rows: Row[] = []
  const sql = `COPY (${query}) TO STDOUT (FORMAT binary)`
  const values = new CopiedValues()
  const failures: Error[] = []
  await db.exchange({
    messages: () => ({ bytes: simpleQuery(sql), read: [] }),
    sent: () => undefined,
    copied(bytes) {
      try {
        if (failures.length === 0 && values.begin(bytes)) rows.push(read(values))
      } catch (error) {
        // What is thrown here nobody would catch: the driver is in the middle of what has come.
        failures.push(error as Error)
      }
    },
  })
  const [failure] = failures
  if (failure) throw failure
  return rows
}

/** A number as it stands in SQL. Throws `RangeError` for one that is no integer. */
export function sqlInteger(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer`)
  return `${value}`
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A UUID as it stands in SQL. Throws `RangeError` for what is none. */
export function sqlUuid(value: string): string {
  if (!uuid.test(value)) throw new RangeError('not a UUID')
  return `'${value}'::uuid`
}

/** PostgreSQL, "Message Formats": Query. */
function simpleQuery(sql: string): Buffer {
  const size = Buffer.byteLength(sql)
  const bytes = Buffer.alloc(size + 6)
  bytes.write('Q')
  bytes.writeInt32BE(size + 5, 1)
  bytes.write(sql, 5)
  return bytes
}

/**
 * PostgreSQL, "COPY", "Binary Format": signature, flags and length of an extension, before the
 * first row.
 */
const headSize = 19
const end = -1

class CopiedValues implements Values {
  // Owned by begin() and #next(): a message, which is good until the next one, and where the next
  // value is.
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #isFirst = true

  /** Whether there is a row in it. */
  begin(bytes: Buffer): boolean {
    this.#bytes = bytes
    this.#at = this.#isFirst ? headSize : 0
    this.#isFirst = false
    const isRow = bytes.readInt16BE(this.#at) !== end
    this.#at += 2
    return isRow
  }

  integer(): number {
    const at = this.#next()
    return this.#bytes.readInt32BE(at)
  }

  bigint(): number {
    const at = this.#next()
    const value = Number(this.#bytes.readBigInt64BE(at))
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not exact`)
    return value
  }

  text(): string {
    const at = this.#next()
    return this.#bytes.toString('utf8', at, this.#at)
  }

  textOrNull(): string | null {
    return this.#isNull() ? null : this.text()
  }

  bytes(): Buffer {
    const at = this.#next()
    return Buffer.from(this.#bytes.subarray(at, this.#at))
  }

  bytesOrNull(): Buffer | null {
    return this.#isNull() ? null : this.bytes()
  }

  textOrBytes(): string | Buffer | null {
    const from = this.#at
    if (this.#isNull()) return null
    const text = this.text()
    // That stands for what is none, or for itself.
    if (!text.includes('\ufffd') || isUtf8(this.#bytes.subarray(from + 4, this.#at))) return text
    this.#at = from
    return this.bytes()
  }

  /** Passes by a null. */
  #isNull(): boolean {
    if (this.#bytes.readInt32BE(this.#at) !== -1) return false
    this.#at += 4
    return true
  }

  /** Where the next value begins; it ends before the one behind it. */
  #next(): number {
    const size = this.#bytes.readInt32BE(this.#at)
    // A column that cannot be null was asked for.
    if (size < 0) throw new TypeError('a value is null')
    const at = this.#at + 4
    this.#at = at + size
    return at
  }
}
