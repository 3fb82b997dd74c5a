import type { Queryable } from '../store/db.ts'

/**
 * Events of the log that nobody can read, on all replicas: somebody put something else in their
 * place.
 */
export interface Unreadable {
  readonly events: number
  /** Ids of some, those that were found last first. */
  readonly newest: readonly string[]
}

const shown = 20

/**
 * Those that work behind the log has come upon; verifying finds all that was changed. Rejects with
 * `StoreError`.
 */
export async function unreadableEvents(db: Queryable): Promise<Unreadable> {
  const [row] = await db.query<Unreadable>(
    `SELECT (SELECT count(*) FROM sallyport.unreadable_events) AS events,
            ARRAY(SELECT event::text FROM sallyport.unreadable_events ORDER BY found_at DESC, event LIMIT ${shown}) AS newest`,
  )
  return row!
}
