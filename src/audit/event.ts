import { randomFillSync } from 'node:crypto'
import type { EventInput, WebSocketUse } from '../core/event.ts'
import type { JsonObject } from '../core/json.ts'
import type { Subject } from '../core/subject.ts'
import { canonical, canonicalAsWritten, unrecordable } from './canonical.ts'
import { commitment } from './chain.ts'
import { eventId } from './event-id.ts'

/** The replica, in its epoch, that records an event. */
export interface Source {
  readonly replica: string
  readonly epoch: number
}

/** An event in its final form, as it is hashed and stored. */
export interface Described {
  readonly id: string
  /** In milliseconds since 1970. */
  readonly time: number
  readonly source: Source
  readonly input: EventInput
  /** The text that is hashed: canonical JSON (RFC 8785). */
  readonly body: string
  /** The erasable part: canonical JSON, and the salt of the commitment to it in the body. */
  readonly personal: { readonly salt: Buffer; readonly body: string } | null
}

/**
 * The most characters of an event. The whole payload of an approval fits, whatever its encoding.
 */
const longest = 8 * 1024 * 1024

/**
 * Brings an event into its final form. `now`: in milliseconds since 1970. Throws the problem
 * `bad-request` for an event that cannot be recorded, before it shares a batch with others.
 */
export function describe(input: EventInput, source: Source, now: number): Described {
  const { id, time } = eventId(now)
  const personal = describePersonal(input)
  const { action, outcome, usage, subject, retention } = input
  // With the keys in the order of RFC 8785. JSON leaves out what is undefined.
  const body = canonicalAsWritten({
    action: action && { id: action.id, name: action.name },
    approval: input.approval,
    decision: input.decision,
    digest: input.digest,
    effect: input.effect,
    enforced: input.enforced,
    id,
    outcome: outcome && {
      bytes: outcome.bytes,
      duration_ms: outcome.duration_ms,
      error: outcome.error,
      result: outcome.result,
      rows: outcome.rows,
      status: outcome.status,
      websocket: outcome.websocket && {
        from_agent: said(outcome.websocket.from_agent),
        to_agent: said(outcome.websocket.to_agent),
      },
    },
    personal: personal ? commitment(personal.salt, personal.body) : undefined,
    policy: input.policy,
    reason: input.reason,
    resource: input.resource,
    retention: retention && {
      events: retention.events,
      exports: retention.exports.map(({ end, first, sha256 }) => ({ end, first, sha256 })),
      indexes: retention.indexes.map(({ end, first }) => ({ end, first })),
      month: retention.month,
    },
    rules: input.rules,
    source: { epoch: source.epoch, replica: source.replica },
    span: input.span && { id: input.span.id, parent: input.span.parent },
    subject_kind: subject?.kind,
    time: rfc3339(time),
    trace: input.trace,
    type: input.type,
    usage: usage && {
      classes: usage.classes,
      columns: usage.columns,
      datasets: usage.datasets,
      model: usage.model,
      tables: usage.tables,
      tokens_cached: usage.tokens_cached,
      tokens_in: usage.tokens_in,
      tokens_out: usage.tokens_out,
      unread: usage.unread,
    },
  })
  if (body.length + (personal?.body.length ?? 0) > longest) {
    throw unrecordable(`more than ${longest} characters`)
  }
  return { id, time, source, input, body, personal }
}

function describePersonal({ subject, attributes, details }: EventInput): Described['personal'] {
  let body = ''
  if (attributes) body += `{"attributes":${canonicalAttributes(attributes)}`
  if (details) body += `${body === '' ? '{' : ','}"details":${canonical(details)}`
  if (subject) body += `${body === '' ? '{' : ','}"subject":${canonicalSubject(subject)}`
  return body === '' ? null : { salt: freshSalt(), body: `${body}}` }
}

function said({ bytes, frames }: WebSocketUse['to_agent']): JsonObject {
  return { bytes, frames }
}

// Owned by rfc3339(): kept while the second lasts, because formatting a time costs more than
// reading the clock.
let written = { second: NaN, text: '' }

/** In UTC, with milliseconds. */
function rfc3339(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000)
  if (second !== written.second) {
    written = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  }
  return `${written.text}${String(milliseconds - second * 1000).padStart(3, '0')}Z`
}

// Verified tokens are cached with their subjects, so all requests of one agent share an object.
const subjects = new WeakMap<Subject, string>()

function canonicalSubject(subject: Subject): string {
  let known = subjects.get(subject)
  if (known === undefined) {
    known = canonical(subject as unknown as JsonObject)
    subjects.set(subject, known)
  }
  return known
}

// Frozen objects are shared by many events.
const frozen = new WeakMap<JsonObject, string>()

function canonicalAttributes(attributes: JsonObject): string {
  if (!Object.isFrozen(attributes)) return canonical(attributes)
  let known = frozen.get(attributes)
  if (known === undefined) {
    known = canonical(attributes)
    frozen.set(attributes, known)
  }
  return known
}

const saltLength = 16
// Salts are slices of this buffer, so that none is copied. When it is used up, another takes its
// place.
let pool = Buffer.alloc(0)
let used = 0

/**
 * 16 random bytes. Drawn for many events at a time, because a draw for each costs more than the
 * rest of the event.
 */
function freshSalt(): Buffer {
  if (used === pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(256 * saltLength))
    used = 0
  }
  used += saltLength
  return pool.subarray(used - saltLength, used)
}
