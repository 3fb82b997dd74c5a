import type { Vote } from '../approvals/approval.ts'
import { votesOf } from '../approvals/votes.ts'
import type { Queryable } from '../store/db.ts'
import type { GateContext } from './context.ts'

/**
 * The votes on an approval, but for those of people whose identity provider counts no more. Closed:
 * it may have been taken out because it says that anybody is anybody.
 */
export async function votesThatCount(
  { trusts }: GateContext,
  db: Queryable,
  approval: string,
): Promise<readonly Vote[]> {
  const votes = (await votesOf(db, [approval])).get(approval)!
  return votes.filter((vote) => trusts(vote, 'login'))
}
