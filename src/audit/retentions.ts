import type { Retention } from '../core/event.ts'
import type { Queryable } from '../store/db.ts'

/** Everything that is on record about months that are kept elsewhere, the oldest first. */
export async function listRetentions(
  store: Queryable,
): Promise<{ id: string; retention: Retention }[]> {
  const rows = await store.query<{ id: string; body: Buffer }>(
    `SELECT id, body FROM sallyport.audit_events WHERE type = 'audit.retained' ORDER BY id`,
  )
  return rows.map(({ id, body }) => {
    const { retention } = JSON.parse(body.toString()) as { retention: Retention }
    return { id, retention }
  })
}
