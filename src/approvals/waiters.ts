import type { Queryable } from '../store/db.ts'
import type { Holder } from './approval.ts'

/**
 * Attempts that wait for approvals, on all replicas. Kept where an approval is cancelled when its
 * client goes away, which must not happen while somebody else waits.
 */

export async function insertWaiter(
  tx: Queryable,
  approval: string,
  { replica, epoch, action }: Holder,
): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.approval_waiters (approval, action, replica, epoch)
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [approval, action, replica, epoch],
  )
}

export async function deleteWaiter(db: Queryable, approval: string, action: string): Promise<void> {
  await db.query('DELETE FROM sallyport.approval_waiters WHERE approval = $1 AND action = $2', [
    approval,
    action,
  ])
}

/** Whether anybody waits for it, on a replica that may be alive. */
export async function anybodyWaits(
  tx: Queryable,
  approval: string,
  marginMs: number,
): Promise<boolean> {
  const rows = await tx.query(
    `SELECT FROM sallyport.approval_waiters w JOIN sallyport.replicas r USING (replica, epoch)
      WHERE w.approval = $1 AND r.closed_at IS NULL
        AND r.lease_until > clock_timestamp() - $2 * interval '1 ms' LIMIT 1`,
    [approval, marginMs],
  )
  return rows.length > 0
}

/** Deletes waiters of approvals that are no longer open, including those of dead replicas. */
export async function forgetWaiters(db: Queryable): Promise<void> {
  await db.query(
    `DELETE FROM sallyport.approval_waiters w USING sallyport.approvals a
      WHERE a.id = w.approval AND a.state NOT IN ('pending', 'approved')`,
  )
}
