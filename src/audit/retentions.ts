import type { Indexes } from '../core/event.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Queryable } from '../store/db.ts'
import { retentionRecord } from './verify/retention-record.ts'

/** A record that events are kept elsewhere: its own id, and where they are in the log. */
export interface RecordedRetention {
  readonly id: string
  readonly indexes: readonly Indexes[]
}

/**
 * Everything that is on record about months that are kept elsewhere, the oldest first. What somebody
 * put in the place of a record, or called one, is none: it explains nothing, and keeps no other from
 * being exported.
 */
export async function listRetentions(store: Queryable): Promise<RecordedRetention[]> {
  const rows = await store.query<{ id: string; body: Buffer }>(
    `SELECT id, body FROM sallyport.audit_events WHERE type = 'audit.retained' ORDER BY id`,
  )
  return rows.flatMap(({ id, body }) => {
    const indexes = indexesOf(body)
    return indexes ? { id, indexes } : []
  })
}

function indexesOf(body: Buffer): readonly Indexes[] | null {
  try {
    const { retention } = parseJson(body.toString()) as { retention?: unknown }
    return retentionRecord.safeParse(retention).data?.indexes ?? null
  } catch {
    // No JSON: verifying says which event it is.
    return null
  }
}
