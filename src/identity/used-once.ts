import { hash } from 'node:crypto'
import type { Queryable, Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Whether this id is used for the first time, on any replica; from now on it counts as used. Only a
 * hash of it is kept, since its sender chooses it. Rejects with a `StoreError`, and the caller then
 * has to treat the id as used.
 */
export async function useOnce(
  db: Queryable,
  parts: readonly string[],
  until: Date,
): Promise<boolean> {
  const rows = await db.query(
    'INSERT INTO sallyport.used_ids (hash, until) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING hash',
    [hash('sha256', JSON.stringify(parts), 'buffer'), until],
  )
  return rows.length === 1
}

/** The time between two sweeps by one replica, in milliseconds. */
const period = 60_000

/**
 * Deletes ids that have become too old to be accepted again anyway. Only ids of verified tokens are
 * kept, so there are never many.
 */
export function sweepUsedIds(store: Store, log: Log): { close(): void } {
  const timer = setInterval(() => {
    store.query('DELETE FROM sallyport.used_ids WHERE until < clock_timestamp()').catch(
      // Rows that stay take up room, and cause nothing valid to be refused.
      (error: unknown) => log.warn({ err: error }, 'ids that are over stay a little longer'),
    )
  }, period).unref()
  return { close: () => clearInterval(timer) }
}
