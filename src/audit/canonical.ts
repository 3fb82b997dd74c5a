import canonicalize from 'canonicalize'
import { Problem } from '../core/errors.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'

const deepest = 100
/**
 * The most keys that are sorted in place, by comparing each with each, which takes quadratic time.
 */
const few = 32
const outOfOrder = new Error('keys that JavaScript keeps in an order of its own')

/**
 * RFC 8785 canonical JSON. Throws the problem `bad-request` for what has none, or cannot be
 * recorded: lone surrogates, NUL, numbers that are not finite, nesting beyond 100 levels.
 */
export function canonical(value: JsonObject): string {
  try {
    // Once the keys are in order, JSON.stringify writes canonical JSON, at a third of the cost.
    return canonicalAsWritten(sorted(value, 0))
  } catch (error) {
    if (error !== outOfOrder) throw error
    return canonicalAnyKeys(value)
  }
}

function canonicalAnyKeys(value: JsonObject): string {
  try {
    return refuseUnrecordable(canonicalize(value)!)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw unrecordable('something that JSON cannot express', { cause: error })
  }
}

/** Does the same for an object whose keys are in order already. */
export function canonicalAsWritten(value: unknown): string {
  return refuseUnrecordable(JSON.stringify(value))
}

function sorted(value: JsonValue, depth: number): JsonValue {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw unrecordable('a number that is not finite')
  if (value === null || typeof value !== 'object') return value
  if (depth === deepest) throw unrecordable(`more than ${deepest} levels of nesting`)
  if (Array.isArray(value)) return value.map((element: JsonValue) => sorted(element, depth + 1))
  const ordered: Record<string, JsonValue> = {}
  for (const key of inOrder(Object.keys(value))) {
    if (startsWithDigit(key) || key === '__proto__') throw outOfOrder
    ordered[key] = sorted((value as JsonObject)[key]!, depth + 1)
  }
  return ordered
}

/**
 * By UTF-16 code units (RFC 8785 §3.2.3), which is how JavaScript compares strings. Most objects
 * have few keys, and sorting those in place takes a third of the time.
 */
function inOrder(keys: string[]): readonly string[] {
  if (keys.length > few) return keys.toSorted()
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next]!
    let at = next
    for (; at > 0 && key < keys[at - 1]!; at--) keys[at] = keys[at - 1]!
    keys[at] = key
  }
  return keys
}

/** Objects enumerate keys that look like an index first, whatever the order they were set in. */
function startsWithDigit(key: string): boolean {
  const first = key.charCodeAt(0)
  return first >= 0x30 && first <= 0x39
}

// A real escape, whose backslash is not itself escaped.
const nulOrSurrogate = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

/**
 * Refuses NUL, which PostgreSQL's text cannot hold, and lone surrogates, which UTF-8 cannot.
 * JSON.stringify escapes both, so they are found in its output.
 */
function refuseUnrecordable(json: string): string {
  if (json.includes('\\u') && nulOrSurrogate.test(json))
    throw unrecordable('NUL or a lone surrogate')
  return json
}

/** Closed: an action that cannot be recorded does not run. */
export function unrecordable(what: string, options?: ErrorOptions): Problem {
  return new Problem(
    'bad-request',
    `This cannot be recorded, and so not be done: it has ${what}.`,
    {},
    options,
  )
}
