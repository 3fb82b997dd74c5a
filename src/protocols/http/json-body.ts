import { Unknown, type Attribute } from '../../core/action.ts'
import type { RequestBody } from './body.ts'
import { headerValue, type Header } from './header.ts'
import { readJson } from './strict/strict-json.ts'

/**
 * Formats that some body parsers recognise anywhere in the header. The same body could be valid
 * JSON, and a form with other fields.
 */
const otherFormats = /urlencoded|form-data|multipart|octet-stream|xml|yaml/

/** Whether every reader takes a media type for JSON in UTF-8 (RFC 8259 §11, RFC 6839 §3.1). */
function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  return (
    /^(?:application|text)\/(?:[\w.+-]+\+)?json[ \t]*$/.test(type) &&
    !otherFormats.test(contentType.toLowerCase()) &&
    parameters.every(
      (parameter) =>
        !/charset/.test(parameter) || /^[ \t]*charset="?utf-?8"?[ \t]*$/.test(parameter),
    )
  )
}

/** Why the body of a request with these headers is no readable JSON; `null` if it may be. */
export function notJson(headers: readonly Header[]): string | null {
  const type = headerValue(headers, 'content-type')
  if (type === null) return 'the body has no Content-Type'
  if (!isJson(type)) return 'the body is not of a JSON type in UTF-8'
  for (const { name, value } of headers) {
    if (name === 'content-encoding' && value.trim().toLowerCase() !== 'identity') {
      return 'the body has a Content-Encoding'
    }
  }
  return null
}

/**
 * The JSON of a request's body: `null` without a body; `Unknown` if it is no JSON, can be read in
 * more than one way, has more than `limit` bytes, or finds no room. The bytes are forwarded as they
 * came.
 */
export async function readJsonBody(
  body: RequestBody | null,
  headers: readonly Header[],
  limit: number,
): Promise<Attribute> {
  if (!body || body.empty) return null
  const why = notJson(headers)
  if (why !== null) return new Unknown(why)
  const taken = await body.take(limit)
  if (taken === 'too large') return new Unknown(`the body has more than ${limit} bytes`)
  if (taken === 'no room') return new Unknown('too many bodies are looked at already')
  return body.empty ? null : readJson(body.taken)
}
