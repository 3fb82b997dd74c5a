import type { EventInput } from '../core/event.ts'
import type { Queryable } from '../store/db.ts'
import type { AuditLog } from './append.ts'
import { describe } from './event.ts'
import { insertUnlinked, readClock } from './rows.ts'

/**
 * `AuditLog.write` for a thread beside the one that appends, on behalf of the same replica: an
 * event in its caller's transaction, which that replica's appender links when it looks for what was
 * written. Rejects with `StoreError`.
 */
export function writeAside(replica: string): AuditLog['write'] {
  return async (tx: Queryable, input: EventInput) => {
    const [current] = await tx.query<{ epoch: number }>(
      'SELECT max(epoch) AS epoch FROM sallyport.replicas WHERE replica = $1',
      [replica],
    )
    const now = Math.floor(await readClock(tx))
    await insertUnlinked(tx, [describe(input, { replica, epoch: current!.epoch }, now)])
  }
}
