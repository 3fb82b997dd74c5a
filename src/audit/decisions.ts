import { z } from 'zod'
import type { Verdict } from '../core/decision.ts'
import type { Effect } from '../core/action.ts'
import type { JsonObject } from '../core/json.ts'
import type { Subject } from '../core/subject.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Queryable } from '../store/db.ts'
import { firstIdAt } from './event-id.ts'

/** An `action.decided` as it is on record. */
export interface RecordedDecision {
  readonly id: string
  readonly time: string
  readonly action: { readonly id: string; readonly name: string }
  readonly resource: string
  readonly effect: Effect
  readonly decision: Verdict
  readonly reason: string
  readonly rules: readonly string[]
  /** SHA-256 of the policies that decided, in hex. */
  readonly policy: string
  /** `null` when the personal part was erased. */
  readonly personal: {
    readonly subject: Subject
    readonly attributes: JsonObject
    readonly details: { readonly summary: string; readonly agent_reason?: string }
  } | null
}

const text = z.string()
const party = z.looseObject({ issuer: text, subject: text })
const recordedDecision = z.looseObject({
  id: text,
  time: text,
  action: z.looseObject({ id: text, name: text }),
  resource: text,
  effect: z.enum(['read', 'write', 'admin', 'unknown']),
  decision: z.enum(['allow', 'deny', 'hold']),
  reason: text,
  rules: z.array(text),
  policy: text,
  personal: z
    .looseObject({
      subject: z.looseObject({
        ...party.shape,
        kind: text,
        groups: z.array(text),
        owner: z.looseObject({}).nullable(),
        chain: z.array(party),
        related: z.array(party),
        claims: z.looseObject({}),
      }),
      attributes: z.record(text, z.looseObject({})),
      details: z.looseObject({ summary: text, agent_reason: text.optional() }),
    })
    .nullable(),
})

/** What is read at a time: up to so many events, or so many bytes. */
const most = { events: 200, bytes: 8 * 1024 * 1024 }

/**
 * Every decision about an action between two times, oldest first, page by page; `null` for one that
 * somebody has replaced by something else. Takes constant memory.
 */
export async function* readDecisions(
  store: Queryable,
  { from, to }: { readonly from: Date; readonly to: Date },
): AsyncGenerator<readonly (RecordedDecision | null)[]> {
  const end = firstIdAt(to)
  let last = firstIdAt(from)
  for (;;) {
    const rows = await store.query<{ id: string; body: Buffer; personal: Buffer | null }>(
      `SELECT id, body, personal
       FROM (SELECT *, sum(size) OVER (ORDER BY id) - size AS before
             FROM (SELECT id, body, personal, octet_length(body) + coalesce(octet_length(personal), 0) AS size
                   FROM sallyport.audit_events
                   WHERE id > $1 AND id < $2 AND type = 'action.decided'
                   ORDER BY id LIMIT $3) next) sized
       WHERE before < $4
       ORDER BY id`,
      [last, end, most.events, most.bytes],
    )
    if (rows.length === 0) return
    yield rows.map(decisionOf)
    last = rows.at(-1)!.id
  }
}

function decisionOf({ body, personal }: { body: Buffer; personal: Buffer | null }) {
  try {
    const decision = {
      ...(parseJson(body.toString()) as JsonObject),
      personal: personal && parseJson(personal.toString()),
    }
    return recordedDecision.safeParse(decision).success
      ? (decision as unknown as RecordedDecision)
      : null
  } catch {
    // It is no JSON. `audit verify` says which event it is.
    return null
  }
}
