import { hash } from 'node:crypto'
import type { Queryable, Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Whether nobody has shown this id before, on any replica; from now on somebody has. What is kept
 * is a hash: nothing of an id, which its sender chooses. Rejects with `StoreError`: what cannot be
 * looked up has to count as used.
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

/** Milliseconds between two sweeps of one replica. */
const period = 60_000

/**
 * Forgets ids once they are too old to be shown again anyway. Only what was verified gets in, so
 * there are never many.
 */
export function sweepUsedIds(store: Store, log: Log): { close(): void } {
  const timer = setInterval(() => {
    store.query('DELETE FROM sallyport.used_ids WHERE until < clock_timestamp()').catch(
      // Rows that are left over take room, and refuse nothing that would be good.
      (error: unknown) => log.warn({ err: error }, 'ids that are over stay a little longer'),
    )
  }, period).unref()
  return { close: () => clearInterval(timer) }
}
