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

/** Events that are read at a time: each can be large. */
const pageSize = 200

/** Every decision about an action between two times, the oldest first, page by page. In constant memory. */
export async function* readDecisions(
  store: Queryable,
  { from, to }: { readonly from: Date; readonly to: Date },
): AsyncGenerator<readonly RecordedDecision[]> {
  const end = firstIdAt(to)
  let last = firstIdAt(from)
  for (;;) {
    const rows = await store.query<{ id: string; body: Buffer; personal: Buffer | null }>(
      `SELECT id, body, personal FROM sallyport.audit_events
       WHERE id > $1 AND id < $2 AND type = 'action.decided'
       ORDER BY id LIMIT $3`,
      [last, end, pageSize],
    )
    if (rows.length === 0) return
    yield rows.map(({ body, personal }) => ({
      ...(parseJson(body.toString()) as RecordedDecision),
      personal: personal && (parseJson(personal.toString()) as RecordedDecision['personal']),
    }))
    if (rows.length < pageSize) return
    last = rows.at(-1)!.id
  }
}
