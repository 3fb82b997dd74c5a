import { BodyReader } from './body-reader.ts'
import { WireFault } from './fault.ts'

/** Parse: a text gets a name (PostgreSQL documentation, "Message Formats"; so do all below). */
export interface ParseRequest {
  /** Empty is the unnamed statement. */
  readonly name: string
  readonly text: string
  /** OIDs of the parameters' types, as far as they are given; 0 leaves it to the server. */
  readonly types: readonly number[]
}

/** Bind: a statement gets its values, and becomes a portal. */
export interface BindRequest {
  readonly portal: string
  readonly statement: string
  /** 0 is text, 1 is binary: none for all text, one for all values, or one for each. */
  readonly formats: readonly number[]
  readonly values: readonly (Buffer | null)[]
  readonly resultFormats: readonly number[]
}

export interface ExecuteRequest {
  readonly portal: string
  /** Rows at most; 0 is all of them. */
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
  const name = reader.text()
  const text = reader.text()
  const types = Array.from({ length: reader.uint16() }, () => reader.uint32())
  reader.end()
  return { name, text, types }
}

export function readBind(body: Buffer): BindRequest {
  const reader = new BodyReader(body)
  const portal = reader.text()
  const statement = reader.text()
  const formats = readFormats(reader)
  const values = readValues(reader, formats)
  const resultFormats = readFormats(reader)
  reader.end()
  return { portal, statement, formats, values, resultFormats }
}

export function readExecute(body: Buffer): ExecuteRequest {
  const reader = new BodyReader(body)
  const portal = reader.text()
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
  const name = reader.text()
  reader.end()
  if (kind !== 'S' && kind !== 'P') throw new WireFault('invalid message subtype')
  return { kind: kind === 'S' ? 'statement' : 'portal', name }
}

function readFormats(reader: BodyReader): number[] {
  const formats = Array.from({ length: reader.uint16() }, () => reader.int16())
  if (formats.some((format) => format !== 0 && format !== 1))
    throw new WireFault('unsupported format code')
  return formats
}

function readValues(reader: BodyReader, formats: readonly number[]): (Buffer | null)[] {
  const values = Array.from({ length: reader.uint16() }, () => readValue(reader))
  if (formats.length > 1 && formats.length !== values.length)
    throw new WireFault('a message has more formats than values, or fewer')
  return values
}

function readValue(reader: BodyReader): Buffer | null {
  const length = reader.int32()
  return length === -1 ? null : reader.bytes(length)
}
