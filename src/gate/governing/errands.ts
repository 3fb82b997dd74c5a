import type { Approval } from '../../approvals/approval.ts'
import { listApprovedErrands } from '../../approvals/errands.ts'
import { lockApproval, moveApproval } from '../../approvals/store.ts'
import type { Outcome } from '../../core/event.ts'
import type { Operation } from '../../core/gateway-itself.ts'
import { isDisabled } from '../../identity/ended-subjects.ts'
import { decide } from '../../policy/decide.ts'
import type { Queryable } from '../../store/db.ts'
import { pinEpoch } from '../../store/lease.ts'
import { obstacleIn } from '../claim.ts'
import { commit, type Step } from '../commit.ts'
import type { GateContext } from '../context.ts'
import { completed, dispatched } from '../events.ts'
import { lockInForce, type InForce } from '../in-force/generations.ts'
import { expire, invalidate } from '../settle.ts'
import { leaseLost } from '../still-valid.ts'

/** How an operation is carried out once people have approved it. */
export interface ErrandWork {
  /** Why it can no longer be done as it was approved, in a sentence, or `null`. */
  obstacle(step: Step, approval: Approval, now: InForce): Promise<string | null>
  /**
   * Does it, within the transaction that records it. Resolves to a function to call after the
   * commit.
   */
  run(step: Step, approval: Approval, now: InForce): Promise<() => void>
}

export type ErrandWorks = Partial<Record<Operation, ErrandWork>>

const atATime = 100

/**
 * Does all approved errands. Any replica may, at any time: each errand is done in one transaction
 * with its edges, and so exactly once.
 */
export async function runApprovedErrands(ctx: GateContext, works: ErrandWorks): Promise<void> {
  for (const id of await listApprovedErrands(ctx.store, atATime)) {
    try {
      await runErrand(ctx, works, id)
    } catch (error) {
      // Closed: nothing of it was done. It stays approved until it is done or expires.
      ctx.log.warn({ err: error, approval: id }, 'what was approved is not done yet; trying again')
    }
  }
}

/** Does one errand if it is still approved. Resolves to whether it was done. */
export async function runErrand(
  ctx: GateContext,
  works: ErrandWorks,
  id: string,
): Promise<boolean> {
  const told = await commit(ctx, (step) => take(ctx, works, step, id))
  told?.()
  return told !== null
}

async function take(
  ctx: GateContext,
  works: ErrandWorks,
  step: Step,
  id: string,
): Promise<(() => void) | null> {
  const { tx } = step
  const locked = await lockApproval(tx, id)
  if (locked?.approval.state !== 'approved') return null
  const { approval, now } = locked
  const work = works[approval.action.name as Operation]
  if (!work) return null
  if (approval.expiresAt <= now) {
    await expire(step, approval)
    return null
  }
  const inForce = await lockInForce(tx)
  const policies = ctx.policies()
  // Closed: this replica does not know yet what the policies in force say about it. It will at the
  // next turn.
  if (inForce.generation !== policies.generation) return null
  const decision = decide(approval.action, {}, policies)
  const obstacle =
    (await obstacleIn(ctx, tx, approval, decision)) ??
    (await endOfProposer(tx, approval)) ??
    (await work.obstacle(step, approval, inForce))
  if (obstacle) {
    await invalidate(step, approval, obstacle)
    return null
  }

  const { replica, epoch } = ctx.lease
  const holder = { replica, epoch, action: approval.action.id }
  if (!ctx.lease.held(epoch) || !(await pinEpoch(tx, holder))) throw leaseLost()
  const dispatching = await moveApproval(tx, approval, { to: 'dispatching', holder })
  if (!dispatching) throw new Error(`approval ${id} changed under its lock`)
  await step.record(dispatched(approval.action, decision, approval))
  const told = await work.run(step, approval, inForce)
  const outcome: Outcome = { result: 'succeeded' }
  await moveApproval(tx, dispatching, { to: 'succeeded', outcome })
  await step.record(completed(approval.action, outcome, id))
  step.changed(id)
  return told
}

/** The person who asked may have lost their account since. */
async function endOfProposer(tx: Queryable, { action }: Approval): Promise<string | null> {
  return (await isDisabled(tx, action.subject))
    ? 'The identity provider disabled the account of whoever asked for it.'
    : null
}
