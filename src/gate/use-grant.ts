import { listGrants, type Grant } from '../approvals/grants.ts'
import { quorumMet } from '../approvals/quorum.ts'
import { isAlike } from '../approvals/scope.ts'
import { getApproval, votesOf } from '../approvals/store.ts'
import type { Decision } from '../core/decision.ts'
import { credentialStillValid } from '../identity/credential.ts'
import type { Queryable } from '../store/db.ts'
import type { Attempt } from './attempt.ts'
import { commit } from './commit.ts'
import type { GateContext } from './context.ts'
import { completed, dispatched } from './events.ts'
import { issuePermit, type Permit } from './permit.ts'
import { persist } from './persist.ts'
import type { Bound } from './request-approval.ts'

/**
 * Runs an action under what was granted before, if anything covers it; `null` if nothing does. Each use is its own action, with its own
 * intent and outcome, and is looked at as an approval is when it is claimed: the policies in force, the votes as they count
 * now, the credential, the time.
 */
export async function useGrant(
  ctx: GateContext,
  attempt: Attempt,
  decision: Decision,
  bound: Bound,
): Promise<Permit | null> {
  const { action, caller, credential } = attempt
  const { epoch } = ctx.lease
  const granted = await commit(ctx, async ({ tx, record }) => {
    const grants = await listGrants(tx, bound.subjectKey, action.resource, bound.binding)
    for (const grant of grants) {
      if (!covers(grant, attempt, decision, bound)) continue
      const approval = await getApproval(tx, grant.approval)
      if (!approval || !(await stillApproved(tx, grant, decision))) continue
      if (!(await credentialStillValid(tx, credential)) || !ctx.lease.held(epoch)) continue
      await record(dispatched(action, decision, { ...approval, digest: bound.digest }, grant.id))
      return grant
    }
    return null
  })
  if (!granted) return null
  return issuePermit({
    action,
    digest: bound.sealed.digest,
    recorded: Promise.resolve(),
    valid: () => ctx.lease.held(epoch) && !caller.aborted,
    complete: (outcome) =>
      persist(ctx, epoch, () => ctx.audit.append(completed(action, outcome, granted.approval))),
  })
}

function covers(grant: Grant, { action }: Attempt, decision: Decision, bound: Bound): boolean {
  if (!decision.requirements.every(({ rule }) => grant.rules.includes(rule))) return false
  return grant.match ? isAlike(action, grant.match) : grant.digest === bound.digest
}

async function stillApproved(tx: Queryable, grant: Grant, decision: Decision): Promise<boolean> {
  const votes = (await votesOf(tx, [grant.approval])).get(grant.approval)!
  return quorumMet(
    decision.requirements,
    votes.filter((vote) => vote.decision === 'approve'),
  )
}
