import { isUtf8 } from 'node:buffer'
import { Unknown } from '../../../core/action.ts'
import type { JsonValue } from '../../../core/json.ts'
import { withKeysAsWritten } from '../../../core/parse-json.ts'

/**
 * The deepest nesting: deeper than in any real request, and shallow enough for every walk over it,
 * and for the record with everything around it.
 */
const deepest = 64
/**
 * The most values and member names. Looking at so many takes some hundredths of a second, in which
 * nobody else is served. A megabyte full of them would take a second.
 */
const most = 20_000

/**
 * Reads JSON (RFC 8259) that every parser reads alike, as in I-JSON (RFC 7493). Returns `Unknown`
 * otherwise: for what is not UTF-8 or not JSON, a repeated key (ignoring case), a number that a
 * double cannot hold, a character that databases and C strings cannot keep, or too much of
 * anything.
 */
export function readJson(bytes: Buffer): JsonValue | Unknown {
  if (!isUtf8(bytes)) return new Unknown('the body is not valid UTF-8')
  const text = bytes.toString('utf8')
  try {
    const value = JSON.parse(text) as JsonValue
    const doubt = doubtAbout(text)
    return doubt === null ? withKeysAsWritten(value, text) : new Unknown(doubt)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return new Unknown('the body is not valid JSON')
  }
}

const token = /[{}[\]]|"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Why valid JSON might be read differently from how `JSON.parse` does, or `null`. */
function doubtAbout(text: string): string | null {
  // The folded keys of each open object. Arrays have none.
  const open: Set<string>[] = []
  let count = 0
  for (const [found, colon] of text.matchAll(token)) {
    if (found === '}' || found === ']') {
      open.pop()
      continue
    }
    count += 1
    if (count > most) return `the body has more than ${most} names and values`
    if (found === '{' || found === '[') {
      open.push(new Set())
      if (open.length > deepest) return `the body is nested more than ${deepest} deep`
    } else if (found.startsWith('"')) {
      const written = colon === undefined ? found : found.slice(0, -colon.length)
      const content = written.includes('\\')
        ? (JSON.parse(written) as string)
        : written.slice(1, -1)
      if (!content.isWellFormed()) return 'the body has half of a surrogate pair'
      if (content.includes('\0')) return 'the body has a NUL character'
      if (colon === undefined) continue
      const keys = open.at(-1)!
      if (keys.has(folded(content))) return `the body has the key ${quoted(content)} more than once`
      keys.add(folded(content))
    } else if (!survives(found)) {
      return `the body has the number ${quoted(found)}, which not every parser can keep`
    }
  }
  return null
}

/**
 * The beginning of a text, without half of a surrogate pair, because the reason for an unknown body
 * is recorded.
 */
function quoted(text: string): string {
  return text.slice(0, 40).replace(/[\ud800-\udbff]$/, '')
}

/**
 * One form for keys that are equal to parsers which ignore case, such as Go's: it takes `ſ` for
 * `s`, and the Kelvin sign for `k`.
 */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}

/** Whether a number survives as a double (RFC 7493 §2.2). */
function survives(number: string): boolean {
  if (number.length <= 15 && /^-?\d+$/.test(number)) return true
  const value = Number(number)
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  return decimal(number) === decimal(String(value))
}

/**
 * One spelling for each decimal number: its digits without surrounding zeros, and the power of ten.
 */
function decimal(number: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number)!
  const digits = (whole! + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = Number(exponent) - fraction.length + (digits.length - significant.length)
  return `${sign}${significant}e${power}`
}
