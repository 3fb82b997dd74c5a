import type { Store } from '../../store/db.ts'
import type { AuditLog } from '../append.ts'

interface Unrecorded {
  readonly id: string
  readonly reason: string
  readonly by: string
  readonly at: Date
  readonly events: number
  readonly approvals: number
  readonly votes: number
}

/**
 * Puts erasures that were made in the database into the log. Any replica may do so; each erasure is
 * recorded once.
 */
export async function recordErasures(store: Store, audit: AuditLog): Promise<void> {
  const recorded = await store.tx(async (tx) => {
    const erasures = await tx.query<Unrecorded>(
      // Cut, because a reason too long for an event would keep all erasures off the record.
      `SELECT id, left(reason, 4000) AS reason, by_login AS by, at, events, approvals, votes FROM sallyport.erasures
       WHERE recorded_at IS NULL ORDER BY at LIMIT 100 FOR UPDATE SKIP LOCKED`,
    )
    for (const { id, at, ...rest } of erasures) {
      const details = { erasure: id, at: at.toISOString(), ...rest }
      await audit.write(tx, { type: 'audit.erased', details })
      await tx.query(
        'UPDATE sallyport.erasures SET recorded_at = clock_timestamp() WHERE id = $1',
        [id],
      )
    }
    return erasures.length
  })
  if (recorded > 0) audit.linkWritten()
}
