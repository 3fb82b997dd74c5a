import type { Queryable } from '../store/db.ts'

/**
 * Takes a lock that only one transaction can have for each subject, so that its open approvals can
 * be counted.
 */
export async function lockSubject(tx: Queryable, subjectKey: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [subjectKey])
}

export async function countOpen(tx: Queryable, subjectKey: string): Promise<number> {
  const [row] = await tx.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM sallyport.approvals
      WHERE subject_key = $1 AND state IN ('pending', 'approved')`,
    [subjectKey],
  )
  return row!.open
}

/** How many approvals this subject asked for in the last hour, whatever became of them. */
export async function countAskedLately(tx: Queryable, subjectKey: string): Promise<number> {
  const [row] = await tx.query<{ asked: number }>(
    `SELECT count(*)::int AS asked FROM sallyport.approvals
      WHERE subject_key = $1 AND created_at > clock_timestamp() - interval '1 hour'`,
    [subjectKey],
  )
  return row!.asked
}
