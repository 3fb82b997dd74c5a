import type { Approval } from '../approvals/approval.ts'
import { isReleased } from '../approvals/break-glass.ts'
import { standingOf } from '../approvals/standing.ts'
import { lockApproval, moveApproval } from '../approvals/store.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import type { Outcome } from '../core/event.ts'
import { credentialStillValid } from '../identity/credential.ts'
import { decide } from '../policy/decide.ts'
import type { Queryable } from '../store/db.ts'
import { pinGeneration } from '../store/generation.ts'
import { pinEpoch } from '../store/lease.ts'
import type { Attempt } from './attempt.ts'
import { commit, type Step } from './commit.ts'
import type { GateContext } from './context.ts'
import { decidedAnew } from './decided-anew.ts'
import { dispatched } from './events.ts'
import type { Claimed } from './lines.ts'
import { lookedAgain } from './looked-again.ts'
import { issuePermit } from './permit.ts'
import { complete, endFormerLife, expire, invalidate } from './settle.ts'
import { leaseLost, stillValid, vouchedFor } from './still-valid.ts'
import { RunToBe, usageNow } from './usage-facts.ts'
import { votesThatCount } from './votes-that-count.ts'

/**
 * Who claims an approval: an attempt whose caller waits, or the gateway itself for a detached one.
 */
export interface Claimant extends Pick<Attempt, 'action' | 'credential' | 'caller'> {
  readonly detached?: {
    /** Writes down more in the transaction that records the outcome. */
    readonly withOutcome: (step: Step) => Promise<void>
  }
}

/**
 * Takes the edge `approved → dispatching` for one live attempt. Everything is checked again under
 * the lock, by the database's clock: the state, the expiry, the credential, the policies in force,
 * and whether the votes still meet what those ask for. The intent commits together with the edge,
 * before the permit exists. Rejects with the problem that keeps the attempt from running.
 */
export async function claim(
  ctx: GateContext,
  claimant: Claimant,
  id: string,
  payloadDigest: string,
): Promise<Claimed> {
  const { action, caller, detached } = claimant
  const { epoch } = ctx.lease
  const settle = (outcome: Outcome) =>
    ctx.outcomes.persist(epoch, () => complete(ctx, id, action, outcome, detached?.withOutcome))
  const vouched = await vouchedFor(ctx, claimant)
  const run = new RunToBe(ctx, action)
  let approval: Approval
  try {
    const takeIt = () => {
      run.cameToNothing()
      return commit(ctx, (step) => take(ctx, step, claimant, id, { epoch, vouched, run }))
    }
    approval = await decidedAnew(ctx, () => lookedAgain(takeIt))
  } catch (error) {
    run.cameToNothing()
    // The answer to the COMMIT was lost, so nobody knows whether the edge was taken. Closed:
    // nothing is sent. If the edge was taken, this is its outcome.
    if (error instanceof Problem && error.code === 'store-unavailable') {
      void settle({ result: 'failed', error: 'store-unavailable' })
    }
    throw error
  }
  const standing = standingOf(approval)
  if (approval.state !== 'dispatching' || approval.holder?.action !== action.id) {
    run.cameToNothing()
    return { permit: null, standing }
  }
  const permit = issuePermit({
    action,
    digest: payloadDigest,
    recorded: Promise.resolve(),
    valid: () => stillValid(ctx, epoch, caller),
    complete: run.counting(settle),
    under: { approval: id, until: approval.expiresAt },
  })
  return { permit, standing }
}

interface Taking {
  readonly epoch: number
  /** Whether those who vouch for the credential still do. */
  readonly vouched: boolean
  readonly run: RunToBe
}

async function take(
  ctx: GateContext,
  step: Step,
  { action, credential, caller, detached }: Claimant,
  id: string,
  { epoch, vouched, run }: Taking,
): Promise<Approval> {
  const { tx } = step
  const locked = await lockApproval(tx, id)
  if (!locked) throw new Error(`approval ${id} has vanished`)
  const { approval, now, ofThisLife } = locked
  if (approval.state !== 'approved') return approval
  if (!ofThisLife) return endFormerLife(step, approval)
  if (approval.expiresAt <= now) return expire(step, approval)
  if (!vouched || !(await credentialStillValid(tx, credential))) {
    // No caller is there who could show another credential.
    if (detached) return invalidate(step, approval, credentialEnded)
    throw new Problem('unauthenticated', 'The credential of this request is no longer valid.')
  }

  const policies = ctx.policies()
  // Closed: a replica that has not loaded the policies in force cannot tell whether they allow
  // this.
  await pinGeneration(tx, policies.generation)
  const facts = await usageNow(ctx, tx, action, policies)
  const decision = decide(action, facts(), policies)
  run.begin()
  const obstacle = await obstacleIn(ctx, tx, approval, decision)
  if (obstacle) return invalidate(step, approval, obstacle)

  if (caller.aborted) return approval
  const holder = { replica: ctx.lease.replica, epoch, action: action.id }
  // Closed: a run that begins after its epoch was cleaned up would never get an outcome.
  if (!ctx.lease.held(epoch) || !(await pinEpoch(tx, holder))) throw leaseLost()
  const mine = await moveApproval(tx, approval, { to: 'dispatching', holder })
  if (!mine) throw new Error(`approval ${id} changed under its lock`)
  await step.record(dispatched(action, decision, approval, detached && { detached: true }))
  step.changed(id)
  return mine
}

const credentialEnded =
  'The credential of the request was no longer valid when the gateway was to send it.'

/**
 * Why the policies in force do not let this approval be used, or `null` if they do. An approval
 * cannot outlive the rule that asked for it.
 */
export async function obstacleIn(
  ctx: GateContext,
  tx: Queryable,
  approval: Approval,
  decision: Decision,
): Promise<string | null> {
  if (decision.verdict === 'allow') return null
  if (decision.verdict === 'deny') return 'The policies in force deny this action.'
  const votes = await votesThatCount(ctx, tx, approval.id)
  return isReleased(decision.requirements, votes)
    ? null
    : 'The policies in force ask for other approvals than were given.'
}
