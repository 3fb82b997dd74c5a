import type { JsonValue } from '../../core/json.ts'
import { toExported, whateverIsThere } from '../exported.ts'

/** Whole objects are JSON in one cell. New columns come at the end. */
const columns = [
  'index',
  'id',
  'time',
  'type',
  'subject.issuer',
  'subject.subject',
  'subject_kind',
  'subject.chain',
  'action.id',
  'action.name',
  'resource',
  'effect',
  'decision',
  'enforced',
  'reason',
  'rules',
  'policy',
  'approval',
  'digest',
  'outcome.result',
  'outcome.status',
  'outcome.rows',
  'outcome.bytes',
  'outcome.duration_ms',
  'outcome.error',
  'attributes',
  'details',
  'usage',
  'trace',
  'seq.replica',
  'seq.epoch',
  'seq.n',
  'hash',
] as const

const paths = columns.map((column) => column.split('.'))

/** RFC 4180, with the names of the columns. */
export const csvHead = columns.join(',')

/**
 * An event as one line of CSV (RFC 4180), without a line end. Control characters are written as in
 * JSON, so that a record is one line whatever is in it. What a spreadsheet would run as a formula
 * gets an apostrophe before it: at the beginning of a cell, and after a semicolon, where many
 * spreadsheets begin a cell in spite of the format.
 */
export const csvLine = whateverIsThere((row) => {
  const event = toExported(row)
  return paths.map((path) => cell(path.reduce<JsonValue | undefined>(member, event))).join(',')
})

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  const inside = value !== null && typeof value === 'object' && Object.hasOwn(value, name)
  return inside ? (value as { readonly [key: string]: JsonValue })[name] : undefined
}

function cell(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return ''
  const text = visibleControls(typeof value === 'string' ? value : JSON.stringify(value))
  const harmless = text.replace(formula, `$1'`)
  return special.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

// RFC 4180 §2.6; there are no line ends in a cell.
const special = /[",]/

// What spreadsheets take for the beginning of a formula, full-width forms included.
const formula = /(^|;)(?=[-=+@\uFF1D\uFF0B\uFF0D\uFF20])/g

// C0, DEL, C1, and the line ends of Unicode.
const control = /[\p{Cc}\u2028\u2029]/u
const controls = new RegExp(control, 'gu')

function visibleControls(text: string): string {
  if (!control.test(text)) return text
  return text.replace(
    controls,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
