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
  /** `null` when it was erased. */
  readonly personal: {
    readonly subject: Subject
    readonly attributes: JsonObject
    readonly details: { readonly summary: string; readonly agent_reason?: string }
  } | null
}

/** That are read at a time: so many events, or as many as have so many bytes. */
const most = { events: 200, bytes: 8 * 1024 * 1024 }

/** Every decision about an action between two times, the oldest first, page by page. In constant memory. */
export async function* readDecisions(
  store: Queryable,
  { from, to }: { readonly from: Date; readonly to: Date },
): AsyncGenerator<readonly RecordedDecision[]> {
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
    yield rows.map(({ body, personal }) => ({
      ...(parseJson(body.toString()) as RecordedDecision),
      personal: personal && (parseJson(personal.toString()) as RecordedDecision['personal']),
    }))
    last = rows.at(-1)!.id
  }
}
