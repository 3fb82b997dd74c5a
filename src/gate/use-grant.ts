import type { Approval } from '../approvals/approval.ts'
import { listGrants, type Grant } from '../approvals/grants.ts'
import { approversIn, quorumMet } from '../approvals/quorum.ts'
import { isAlike, offeredScopes } from '../approvals/scope.ts'
import { getApproval } from '../approvals/store.ts'
import type { Decision } from '../core/decision.ts'
import { credentialStillValid } from '../identity/credential.ts'
import { decide } from '../policy/decide.ts'
import type { Queryable } from '../store/db.ts'
import { pinGeneration } from '../store/generation.ts'
import { pinEpoch } from '../store/lease.ts'
import type { Attempt } from './attempt.ts'
import { commit, type Step } from './commit.ts'
import type { GateContext } from './context.ts'
import { decidedAnew } from './decided-anew.ts'
import { completed, dispatched } from './events.ts'
import { issuePermit, type Permit } from './permit.ts'
import type { Bound } from './request-approval.ts'
import { leaseLost, stillValid, vouchedFor } from './still-valid.ts'
import { RunToBe, usageNow } from './usage-facts.ts'
import { votesThatCount } from './votes-that-count.ts'

/**
 * Gets a permit under an earlier grant; resolves to `null` if none covers the action. Each use is
 * an action of its own, with its own intent and outcome, and is checked like the claim of an
 * approval: the policies in force, the votes as they count now, the credential, the time.
 */
export async function useGrant(
  ctx: GateContext,
  attempt: Attempt,
  bound: Bound,
): Promise<Permit | null> {
  const { action, caller, credential } = attempt
  const { epoch } = ctx.lease
  const run = new RunToBe(ctx, action)
  const use = async ({ tx, record }: Step): Promise<Grant | null> => {
    // The body may have taken its time, and the policies may have changed meanwhile.
    const policies = ctx.policies()
    await pinGeneration(tx, policies.generation)
    const facts = await usageNow(ctx, tx, action, policies)
    const decision = decide(action, facts(), policies)
    if (decision.verdict !== 'hold') return null
    run.begin()
    const grants = await listGrants(
      tx,
      bound.subjectKey,
      action.resource,
      bound.binding,
      attempt.connection,
    )
    for (const grant of grants) {
      if (!covers(grant, attempt, decision, bound)) continue
      const approval = await getApproval(tx, grant.approval)
      if (!approval || !meansTheSame(grant, approval, bound)) continue
      if (!(await stillApproved(ctx, tx, approval, decision))) continue
      if (grant.connection !== null && !isOfThisLife(approval, ctx.lease.replica, epoch)) continue
      if (!(await credentialStillValid(tx, credential))) return null
      const { replica } = ctx.lease
      if (!ctx.lease.held(epoch) || !(await pinEpoch(tx, { replica, epoch }))) throw leaseLost()
      await record(
        dispatched(action, decision, { ...approval, digest: bound.digest }, { grant: grant.id }),
      )
      return grant
    }
    return null
  }
  if (!(await vouchedFor(ctx, attempt))) return null
  let granted: Grant | null = null
  try {
    granted = await decidedAnew(ctx, () => {
      run.cameToNothing()
      return commit(ctx, use)
    })
  } finally {
    if (!granted) run.cameToNothing()
  }
  if (!granted) return null
  return issuePermit({
    action,
    digest: bound.sealed.digest,
    recorded: Promise.resolve(),
    valid: () => stillValid(ctx, epoch, caller),
    complete: run.counting((outcome) =>
      ctx.outcomes.persist(epoch, ctx.audit.soon(completed(action, outcome, granted.approval))),
    ),
    under: { approval: granted.approval, until: granted.expiresAt },
  })
}

function covers(grant: Grant, { action }: Attempt, decision: Decision, bound: Bound): boolean {
  if (!decision.requirements.every(({ rule }) => grant.rules.includes(rule))) return false
  if (!stillOffered(grant, decision)) return false
  return grant.match ? isAlike(action, grant.match) : grant.digest === bound.digest
}

/**
 * Whether the rules as they are now would still offer as much, for as long. A grant cannot outlive
 * the rule that allowed it.
 */
function stillOffered({ connection, match, ageMs }: Grant, { requirements }: Decision): boolean {
  // An offer for some minutes includes a grant for one connection.
  return offeredScopes(requirements, connection !== null).some((offered) => {
    if (ageMs >= offered.minutes * 60_000) return false
    // A grant for one digest is the narrowest there is, so any offer includes it.
    if (!match) return true
    return offered.match.length > 0 && offered.match.every((path) => path in match)
  })
}

/**
 * Whether names still stand for what they stood for, such as a view or a table's triggers. Actions
 * that match by name are not alike otherwise. A grant for one digest needs no such check, since the
 * digest covers it.
 */
function meansTheSame({ match }: Grant, { definitions }: Approval, { sealed }: Bound): boolean {
  return match === null || definitions === (sealed.definitions ?? null)
}

/**
 * Whether the connection belongs to this replica and epoch. Closed: a replica that was taken for
 * dead meanwhile has lost its connections, whatever it thinks itself.
 */
function isOfThisLife({ connection }: Approval, replica: string, epoch: number): boolean {
  return connection?.replica === replica && connection.epoch === epoch
}

/**
 * Whether the approval behind a grant still counts. One that was cancelled, or invalidated with its
 * rule, grants nothing.
 */
async function stillApproved(
  ctx: GateContext,
  tx: Queryable,
  { id, state }: Approval,
  { requirements }: Decision,
): Promise<boolean> {
  if (state === 'cancelled' || state === 'invalidated') return false
  return quorumMet(requirements, approversIn(await votesThatCount(ctx, tx, id)))
}
