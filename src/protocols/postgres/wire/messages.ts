import { randomBytes } from 'node:crypto'

/**
 * One message: its type, its length and its parts (PostgreSQL documentation, "Message Formats").
 */
export function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = parts.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(type.length + 4)
  head.write(type, 0, 'latin1')
  head.writeUInt32BE(body + 4, type.length)
  return Buffer.concat([head, ...parts])
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8')
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

/**
 * The fields of an ErrorResponse or a NoticeResponse (PostgreSQL documentation, "Error and Notice
 * Message Fields").
 */
export interface Report {
  readonly severity: 'FATAL' | 'ERROR' | 'NOTICE' | 'WARNING'
  /** SQLSTATE. */
  readonly code: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  /** In characters of the query, from 1. */
  readonly position?: number
}

export function report(fields: Report): Buffer {
  const { severity, code, message: text, detail, hint, position } = fields
  const isNotice = severity === 'NOTICE' || severity === 'WARNING'
  const parts: string[] = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`]
  if (detail !== undefined) parts.push(`D${detail}`)
  if (hint !== undefined) parts.push(`H${hint}`)
  if (position !== undefined) parts.push(`P${position}`)
  return message(
    isNotice ? 'N' : 'E',
    // A NUL would end the field. Our own words have none, but an approver's might.
    ...parts.map((part) => cstring(part.replaceAll('\0', ' '))),
    Buffer.alloc(1),
  )
}

/** The fields of an error or notice of the server's, by their letter. */
export function readReport(body: Buffer): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const end = body.indexOf(0, at)
    if (end < 0) break
    fields.set(String.fromCharCode(body[at]!), body.toString('utf8', at + 1, end))
    at = end + 1
  }
  return fields
}

/** An error of the server's, header included, without its DETAIL. */
export function withoutDetail(bytes: Buffer): Buffer {
  const fields = [...readReport(bytes.subarray(5))].filter(([letter]) => letter !== 'D')
  const parts = fields.map(([letter, text]) => cstring(`${letter}${text}`))
  return message(String.fromCharCode(bytes[0]!), ...parts, Buffer.alloc(1))
}

/** A name that no client can guess. */
export function randomName(): string {
  return `sallyport_${randomBytes(12).toString('hex')}`
}

export const query = (text: string): Buffer => message('Q', cstring(text))

export const parse = (name: string, text: string): Buffer =>
  message('P', cstring(name), cstring(text), int16(0))

/** A Bind without values, whose results come in text form. */
export const bind = (portal: string, statement: string): Buffer =>
  message('B', cstring(portal), cstring(statement), int16(0), int16(0), int16(0))

export const execute = (portal: string): Buffer => message('E', cstring(portal), int32(0))

export const close = (kind: 'S' | 'P', name: string): Buffer =>
  message('C', Buffer.from(kind), cstring(name))

export const flush = message('H')
export const sync = message('S')
export const terminate = message('X')
