import { isUtf8 } from 'node:buffer'
import { BodyReader } from './body-reader.ts'
import { NotUtf8, WireFault } from './fault.ts'

/** Parse: a text gets a name (PostgreSQL documentation, "Message Formats", as for all below). */
export interface ParseRequest {
  /** Empty is the unnamed statement. */
  readonly name: string
  readonly text: string
  /** OIDs of the parameters' types, as far as they are given; 0 leaves one to the server. */
  readonly types: readonly number[]
}

/** Bind: a statement gets its values, and becomes a portal. */
export interface BindRequest {
  readonly portal: string
  readonly statement: string
  /**
   * 0 is text, 1 is binary. Empty where all values are text, one for all values, or one for each.
   */
  readonly formats: readonly number[]
  readonly values: readonly (Buffer | null)[]
  readonly resultFormats: readonly number[]
}

export interface ExecuteRequest {
  readonly portal: string
  /** The most rows to return; 0 for all. */
  readonly rows: number
}

/** FunctionCall: one function, by the OID that it has in the database. */
export interface CallRequest {
  readonly oid: number
  readonly formats: readonly number[]
  readonly values: readonly (Buffer | null)[]
  readonly resultFormat: number
}

/** Describe and Close: of a statement or of a portal. */
export interface NamedRequest {
  readonly kind: 'statement' | 'portal'
  readonly name: string
}

export function readQuery(body: Buffer): string {
  const reader = new BodyReader(body)
  const text = reader.text()
  reader.end()
  return text
}

export function readParse(body: Buffer): ParseRequest {
  const reader = new BodyReader(body)
  const name = readName(reader)
  const text = reader.text()
  const types = listOf(reader, typeOf)
  reader.end()
  return { name, text, types }
}

export function readBind(body: Buffer): BindRequest {
  const reader = new BodyReader(body)
  const portal = readName(reader)
  const statement = readName(reader)
  const formats = readFormats(reader)
  const values = readValues(reader, formats)
  const resultFormats = readFormats(reader)
  reader.end()
  return { portal, statement, formats, values, resultFormats }
}

export function readExecute(body: Buffer): ExecuteRequest {
  const reader = new BodyReader(body)
  const portal = readName(reader)
  const rows = reader.int32()
  reader.end()
  return { portal, rows }
}

export function readCall(body: Buffer): CallRequest {
  const reader = new BodyReader(body)
  const oid = reader.uint32()
  const formats = readFormats(reader)
  const values = readValues(reader, formats)
  const resultFormat = reader.int16()
  reader.end()
  return { oid, formats, values, resultFormat }
}

export function readNamed(body: Buffer): NamedRequest {
  const reader = new BodyReader(body)
  const kind = String.fromCharCode(reader.byte())
  const name = readName(reader)
  reader.end()
  if (kind !== 'S' && kind !== 'P') throw new WireFault('invalid message subtype')
  return { kind: kind === 'S' ? 'statement' : 'portal', name }
}

/**
 * Bytes of a name that the server keeps, as of names in SQL. Names that agree in these are the same
 * name (PostgreSQL documentation, "Identifiers and Key Words").
 */
const longestName = 63

function readName(reader: BodyReader): string {
  const name = reader.text()
  if (Buffer.byteLength(name) <= longestName) return name
  const kept = Buffer.from(name).subarray(0, longestName)
  // Closed: two names that differ only in this character would look alike to us, while the server
  // may tell them apart.
  if (!isUtf8(kept)) throw new WireFault('a long name is cut off within a character')
  return kept.toString()
}

/** What `read` returns, or the `NotUtf8` that it throws, which is no reason to end the session. */
export function textOf<Read>(read: () => Read): Read | NotUtf8 {
  try {
    return read()
  } catch (error) {
    if (error instanceof NotUtf8) return error
    throw error
  }
}

/** A list, preceded by its length. */
function listOf<Item>(reader: BodyReader, read: (reader: BodyReader) => Item): Item[] {
  const items: Item[] = []
  for (let left = reader.uint16(); left > 0; left--) items.push(read(reader))
  return items
}

const typeOf = (reader: BodyReader): number => reader.uint32()

function formatOf(reader: BodyReader): number {
  const format = reader.int16()
  if (format !== 0 && format !== 1) throw new WireFault('unsupported format code')
  return format
}

function readFormats(reader: BodyReader): number[] {
  return listOf(reader, formatOf)
}

function readValues(reader: BodyReader, formats: readonly number[]): (Buffer | null)[] {
  const values = listOf(reader, readValue)
  if (formats.length > 1 && formats.length !== values.length)
    throw new WireFault('a message has more formats than values, or fewer')
  return values
}

function readValue(reader: BodyReader): Buffer | null {
  const length = reader.int32()
  return length === -1 ? null : reader.bytes(length)
}
