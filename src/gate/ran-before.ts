import type { Approval } from '../approvals/approval.ts'
import { listGrantingApprovals } from '../approvals/grants.ts'
import { findRunBefore } from '../approvals/store.ts'
import { findRecordedRun } from '../audit/runs.ts'
import type { Queryable } from '../store/db.ts'

/**
 * How the same digest ended before, by an approval of its own or under a grant; `null` if it never
 * ran. Approvers have to know this, above all that an earlier run ended as `unknown`.
 */
export async function ranBefore(
  tx: Queryable,
  subjectKey: string,
  resource: string,
  digest: string,
): Promise<Approval['ranBefore']> {
  const alone = await findRunBefore(tx, subjectKey, resource, digest)
  if (alone?.state === 'unknown') return alone
  const granting = await listGrantingApprovals(tx, subjectKey, resource)
  const run = await findRecordedRun(tx, granting, digest)
  if (!run || (alone && run.result !== 'unknown')) return alone
  return { id: run.approval, state: run.result ?? 'dispatching' }
}
