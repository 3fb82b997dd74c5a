import type { JsonObject, JsonValue } from '../../../core/json.ts'
import { fromBase64 } from '../text/bytes.ts'

export interface Body {
  readonly bytes: Uint8Array
  /** `null` where the bytes are not text. */
  readonly text: string | null
  readonly mediaType: string | null
}

export interface ShownHeader {
  readonly name: string
  /** `null` where it is a secret, which the gateway shows to nobody. The digest covers it all the same. */
  readonly value: string | null
}

/** What would be sent, taken apart for the page. Every member of the payload is in exactly one of these. */
export interface ShownPayload {
  readonly request: { readonly method: string; readonly target: string } | null
  readonly headers: readonly ShownHeader[] | null
  /** The text of a statement; everything that it comes with is in `rest`. */
  readonly sql: string | null
  readonly body: Body | null
  /** Whatever this page has no form of its own for: shown as JSON, never left out. */
  readonly rest: JsonObject | null
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function headerOf(value: JsonValue): ShownHeader | null {
  if (!isObject(value)) return null
  const { name, value: text, masked, ...others } = value
  if (typeof name !== 'string' || Object.keys(others).length > 0) return null
  if (typeof text === 'string' && masked === undefined) return { name, value: text }
  return text === undefined && masked === true ? { name, value: null } : null
}

function headersOf(value: JsonValue | undefined): ShownPayload['headers'] {
  if (!Array.isArray(value)) return null
  const headers = (value as readonly JsonValue[]).map(headerOf)
  return headers.every((header) => header !== null) ? headers : null
}

function bodyOf(value: JsonValue | undefined): Body | null {
  if (!isObject(value)) return null
  const { text, base64, media_type: type } = value
  const mediaType = typeof type === 'string' ? type : null
  if (typeof text === 'string') return { text, bytes: new TextEncoder().encode(text), mediaType }
  if (typeof base64 === 'string') return { text: null, bytes: fromBase64(base64), mediaType }
  return null
}

/** Members of a body that say nothing which its bytes do not say already. */
const derived = new Set(['text', 'base64', 'bytes', 'media_type', 'json'])

/** The payload of an HTTP request or of a statement in its pieces; any other payload is all `rest`. */
export function takeApart(payload: JsonObject): ShownPayload {
  const { method, target, headers: list, sql: statement, body: content, ...others } = payload
  const rest: Record<string, JsonValue> = { ...others }

  const request =
    typeof method === 'string' && typeof target === 'string' ? { method, target } : null
  if (!request && method !== undefined) rest['method'] = method
  if (!request && target !== undefined) rest['target'] = target

  const sql = typeof statement === 'string' ? statement : null
  if (sql === null && statement !== undefined) rest['sql'] = statement

  const headers = headersOf(list)
  if (!headers && list !== undefined) rest['headers'] = list

  const body = bodyOf(content)
  if (!body && content !== undefined && content !== null) rest['body'] = content
  if (body && isObject(content)) {
    const unknown = Object.entries(content).filter(([name]) => !derived.has(name))
    if (unknown.length > 0) rest['body'] = Object.fromEntries(unknown)
  }
  return { request, headers, sql, body, rest: Object.keys(rest).length > 0 ? rest : null }
}
