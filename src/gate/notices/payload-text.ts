import type { JsonObject, JsonValue } from '../../core/json.ts'

/** One part of what would run: a heading, and the text as it would be sent. */
export interface Part {
  readonly label: string
  readonly text: string
}

/**
 * A whole payload as text, for a channel that shows text: an HTTP request in its familiar form,
 * with the body that is sent; any other payload member by member. Nothing is left out, and nothing
 * is made visible or shortened yet.
 */
export function payloadText(payload: JsonObject): Part[] {
  const { method, target, headers, body, ...others } = payload
  if (typeof method !== 'string' || typeof target !== 'string') return membersOf(payload)
  return [
    { label: 'request', text: `${method} ${target}` },
    ...(headers === undefined ? [] : [headersPart(headers)]),
    ...(body === undefined || body === null ? [] : bodyParts(body)),
    ...membersOf(others),
  ]
}

function membersOf(payload: JsonObject): Part[] {
  return Object.entries(payload).map(([label, value]) => ({ label, text: textOf(value) }))
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

function headersPart(headers: JsonValue): Part {
  const lines = Array.isArray(headers) ? headers.map(headerLine) : [null]
  return {
    label: 'headers',
    text: lines.every((line) => line !== null) ? lines.join('\n') : textOf(headers),
  }
}

function headerLine(header: JsonValue): string | null {
  if (!isObject(header) || typeof header['name'] !== 'string') return null
  const { name, value, masked, ...others } = header
  if (Object.keys(others).length > 0) return null
  // JSON keeps a header on one line. Otherwise one could look like two.
  if (typeof value === 'string' && masked === undefined) return `${name}: ${oneLine(value)}`
  return masked === true && value === undefined ? `${name}: (a secret, not shown)` : null
}

const oneLine = (text: string): string => (/[\r\n]/.test(text) ? JSON.stringify(text) : text)

/** Members of a body that follow from its bytes, such as its size and its parsed JSON. */
const derived = new Set(['text', 'base64', 'bytes', 'media_type', 'json'])

function bodyParts(body: JsonValue): Part[] {
  if (!isObject(body) || Object.keys(body).some((key) => !derived.has(key))) {
    return [{ label: 'body', text: textOf(body) }]
  }
  const { text, base64, bytes } = body
  if (typeof text === 'string') return [{ label: `body (${Number(bytes)} bytes)`, text }]
  return typeof base64 === 'string'
    ? [{ label: `body (${Number(bytes)} bytes, in Base64)`, text: base64 }]
    : [{ label: 'body', text: textOf(body) }]
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
