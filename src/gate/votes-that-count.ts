import type { Vote } from '../approvals/approval.ts'
import { votesOf } from '../approvals/votes.ts'
import type { Queryable } from '../store/db.ts'
import type { GateContext } from './context.ts'

/**
 * The votes on an approval, except those of people whose identity provider is no longer trusted.
 * Closed: a provider may have been removed because it vouched for people it should not have.
 */
export async function votesThatCount(
  { trusts }: GateContext,
  db: Queryable,
  approval: string,
): Promise<readonly Vote[]> {
  const votes = (await votesOf(db, [approval])).get(approval)!
  return votes.filter((vote) => trusts(vote, 'login'))
}
