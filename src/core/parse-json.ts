import type { JsonValue } from './json.ts'

/**
 * JSON (RFC 8259) as it is written. Throws `SyntaxError`. To be used for everything in which a
 * stranger can choose a key; `JSON.parse` of V8 13.6 (Node 24.21) reads some wrong: where earlier
 * objects led it to expect the key `admi\`, it takes `"admi\u006e"` for that, since it compares the
 * letters as they are written. So an agent could show a rule another body than the upstream reads.
 */
export function parseJson(text: string): unknown {
  return withKeysAsWritten(JSON.parse(text) as JsonValue, text)
}

/**
 * What `JSON.parse` made of this text, with the keys that stand in it. A key that was taken for
 * another one has a backslash then, since it is the beginning of what is written up to behind the
 * first escape; so where none has, all are right.
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
 * With a number in place of each key, which has no escape that could be misread. A text by itself
 * is read right.
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
