import type { Outcome } from '../core/event.ts'
import type { Queryable } from '../store/db.ts'

/**
 * The last run of this digest under one of these approvals, or `null`. For approvals that grant
 * more than one run, whose runs are only in the log. `result` is `null` while it runs.
 */
export async function findRecordedRun(
  db: Queryable,
  approvals: readonly string[],
  digest: string,
): Promise<{ approval: string; result: Outcome['result'] | null } | null> {
  if (approvals.length === 0) return null
  const [row] = await db.query<{ approval: string; result: Outcome['result'] | null }>(
    `SELECT e.approval,
            (SELECT convert_from(c.body, 'UTF8')::jsonb #>> '{outcome,result}'
               FROM sallyport.audit_events c
              WHERE c.action = e.action AND c.type = 'action.completed'
              -- Who knows counts before who had to give it up, whichever is on record first.
              ORDER BY convert_from(c.body, 'UTF8')::jsonb #>> '{outcome,result}' = 'unknown',
                       c.time DESC
              LIMIT 1) AS result
       FROM sallyport.audit_events e
      WHERE e.approval = ANY ($1::uuid[]) AND e.type = 'action.dispatched'
        AND convert_from(e.body, 'UTF8')::jsonb ->> 'digest' = $2
      ORDER BY e.time DESC LIMIT 1`,
    [approvals, digest],
  )
  return row ?? null
}
