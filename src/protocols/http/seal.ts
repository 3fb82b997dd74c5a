import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { Unknown } from '../../core/action.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Sealed } from '../../gate/attempt.ts'
import { ambiguous } from './strict/ambiguous.ts'
import { takeWhole, type RequestBody } from './body.ts'
import { holdsSecret } from './header-names.ts'
import { headerText, headerValue, type Header } from './header.ts'
import { notJson } from './json-body.ts'
import { shownTarget, shownValue, type IsSecret } from './secret-parameters.ts'
import { readJson } from './strict/strict-json.ts'

/**
 * A request as it will be forwarded, except what the gateway adds: the credential, the trace
 * context, and the framing of the body.
 */
export interface Payload {
  readonly method: string
  /** Path and query, in the bytes that the upstream gets. */
  readonly target: string
  readonly headers: readonly Header[]
}

/** The body of a sealed request, and its digest. */
export interface SealedBytes {
  /** SHA-256, in hex, over everything that will be forwarded. */
  readonly digest: string
  /** `null` where the request has no body, which differs from an empty one. */
  readonly bytes: Buffer | null
}

/** A sealed request: the bytes that were shown and digested are the ones that are sent. */
export type SealedRequest = Sealed & SealedBytes

/**
 * Takes the whole request in, and binds it. Rejects with `body-too-large`, with `ClientGone`, and
 * with `ambiguous-request` for JSON that can be read in more than one way, which no approver must
 * see as if it were clear.
 */
export async function sealRequest(
  payload: Payload,
  body: RequestBody | null,
  { limit, isSecret }: { limit: number; isSecret: IsSecret },
): Promise<SealedRequest> {
  const bytes = body && (await takeWhole(body, limit))
  return {
    digest: digestOf(payload, bytes),
    payload: shownPayload(payload, bytes, isSecret),
    bytes,
  }
}

/**
 * SHA-256, in hex, over everything that is forwarded (docs/http.md, "The digest"). Each part is
 * hashed as its tag, its length in bytes (64 bits) and its bytes, so that no part can pass for the
 * beginning of the next.
 */
export function digestOf({ method, target, headers }: Payload, body: Buffer | null): string {
  const hash = createHash('sha256')
  const part = (tag: string, bytes: Buffer): void => {
    const head = Buffer.alloc(9)
    head.write(tag, 0, 'latin1')
    head.writeBigUInt64BE(BigInt(bytes.length), 1)
    hash.update(head).update(bytes)
  }
  const text = (tag: string, value: string): void => part(tag, Buffer.from(value, 'latin1'))
  text('V', 'sallyport http 1')
  text('M', method)
  text('T', target)
  for (const { name, value } of headers) {
    text('N', name)
    text('H', value)
  }
  if (body !== null) part('B', body)
  return hash.digest('hex')
}

function shownPayload(
  { method, target, headers }: Payload,
  bytes: Buffer | null,
  isSecret: IsSecret,
): JsonObject {
  return {
    method,
    target: shownTarget(target, isSecret),
    headers: headers.map((header) => shownHeader(header, isSecret)),
    body: bytes === null ? null : shownBody(bytes, headers),
  }
}

/** A header as approvers see it. A secret is covered by the digest, but not shown. */
function shownHeader({ name, value }: Header, isSecret: IsSecret): JsonObject {
  if (holdsSecret(name)) return { name, masked: true }
  return { name, value: headerText(shownValue(name, value, isSecret)) }
}

function shownBody(bytes: Buffer, headers: readonly Header[]): JsonObject {
  const media_type = headerValue(headers, 'content-type')
  const text = bytes.toString('utf8')
  // Many displays would cut the text off at a NUL.
  const readable = isUtf8(bytes) && !text.includes('\0')
  const content: JsonObject = readable ? { text } : { base64: bytes.toString('base64') }
  const body: JsonObject = { bytes: bytes.length, media_type, ...content }
  if (bytes.length === 0 || notJson(headers) !== null) return body
  const json = readJson(bytes)
  // Closed: an approver would see one reading, and the upstream might act on another.
  if (json instanceof Unknown) {
    throw ambiguous(
      `This action has to be approved, and it cannot be shown clearly: ${json.unknown}.`,
    )
  }
  return { ...body, json }
}
