import type { JsonValue } from './json.ts'

/**
 * Parses JSON (RFC 8259) exactly as it is written. Throws `SyntaxError`. To be used wherever a
 * stranger can choose a key, because `JSON.parse` of V8 13.6 (Node 24.21) misreads some: where
 * earlier objects led it to expect the key `admi\`, it takes `"admi\u006e"` for that key, since it
 * compares the escaped text. An agent could thus show a rule another body than the upstream reads.
 */
export function parseJson(text: string): unknown {
  return withKeysAsWritten(JSON.parse(text) as JsonValue, text)
}

/**
 * Corrects what `JSON.parse` made of this text. A key that was misread always has a backslash in
 * it, because it is a beginning of the written text that reaches into the first escape. So where no
 * key has one, all are right.
 */
export function withKeysAsWritten(value: JsonValue, text: string): JsonValue {
  return text.includes('\\') && hasBackslashInKey(value) ? parseByNumber(text) : value
}

function hasBackslashInKey(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasBackslashInKey)
  return Object.entries(value).some(
    ([key, inner]) => key.includes('\\') || hasBackslashInKey(inner),
  )
}

const string = /"(?:[^"\\]|\\.)*"([ \t\r\n]*:)?/g

/**
 * Parses again with a number in place of each key, which has no escape to misread. Strings that are
 * no keys are read correctly.
 */
function parseByNumber(text: string): JsonValue {
  const keys: string[] = []
  const numbered = text.replace(string, (written, colon: string | undefined) => {
    if (colon === undefined) return written
    keys.push(JSON.parse(written.slice(0, -colon.length)) as string)
    return `"k${keys.length - 1}":`
  })
  return named(JSON.parse(numbered) as JsonValue, keys)
}

function named(value: JsonValue, keys: readonly string[]): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((inner) => named(inner, keys))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [keys[Number(key.slice(1))], named(inner, keys)]),
  )
}
