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
  /**
   * `null` where it is a secret, which the gateway shows to nobody. The digest covers it all the
   * same.
   */
  readonly value: string | null
}

export interface ShownSql {
  /** Of a prepared statement; `null` for the one that is sent. */
  readonly name: string | null
  readonly text: string
}

/**
 * What would be sent, taken apart for the page. Every member of the payload is in exactly one of
 * these.
 */
export interface ShownPayload {
  readonly request: { readonly method: string; readonly target: string } | null
  readonly headers: readonly ShownHeader[] | null
  /**
   * The text of a statement, and those of the prepared ones that it stands for; everything else
   * that it comes with is in `rest`.
   */
  readonly sql: readonly ShownSql[] | null
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

function preparedOf(value: JsonValue): ShownSql | null {
  if (!isObject(value)) return null
  const { name, text, ...others } = value
  const known = typeof name === 'string' && typeof text === 'string'
  return known && Object.keys(others).length === 0 ? { name, text } : null
}

function sqlOf({ text, database, prepared = [] }: JsonObject): readonly ShownSql[] | null {
  if (typeof text !== 'string' || typeof database !== 'string') return null
  if (!Array.isArray(prepared)) return null
  const others = (prepared as readonly JsonValue[]).map(preparedOf)
  return others.every((one) => one !== null) ? [{ name: null, text }, ...others] : null
}

/** Members of a body that say nothing which its bytes do not say already. */
const derived = new Set(['text', 'base64', 'bytes', 'media_type', 'json'])

/**
 * The payload of an HTTP request or of a statement in its pieces; any other payload is all `rest`.
 */
export function takeApart(payload: JsonObject): ShownPayload {
  const { method, target, headers: list, body: content, ...others } = payload
  const rest: Record<string, JsonValue> = { ...others }

  const request =
    typeof method === 'string' && typeof target === 'string' ? { method, target } : null
  if (!request && method !== undefined) rest['method'] = method
  if (!request && target !== undefined) rest['target'] = target

  const sql = request ? null : sqlOf(others)
  if (sql) {
    delete rest['text']
    delete rest['prepared']
  }

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
