import type { Approval, Resolution } from '../approvals/approval.ts'
import { isOpen } from '../approvals/machine.ts'
import { lockApproval, moveApproval, type Edge } from '../approvals/store.ts'
import type { Action } from '../core/action.ts'
import { Problem } from '../core/errors.ts'
import type { Outcome } from '../core/event.ts'
import type { Party } from '../core/subject.ts'
import { commit, type Step } from './commit.ts'
import type { GateContext } from './context.ts'
import { completed, resolved } from './events.ts'

/**
 * The edges that end an approval. Each is taken under the lock of its row, with its audit event.
 */

async function move(step: Step, approval: Approval, edge: Edge): Promise<Approval> {
  const moved = await moveApproval(step.tx, approval, edge)
  if (!moved) throw new Error(`approval ${approval.id} changed under its lock`)
  step.changed(approval.id)
  return moved
}

async function end(
  step: Step,
  approval: Approval,
  to: 'denied' | 'expired' | 'cancelled' | 'invalidated' | 'approved',
  resolution: Resolution,
): Promise<Approval> {
  const moved = await move(step, approval, { to, resolution })
  await step.record(resolved(moved, resolution, `approval-${to}`))
  return moved
}

export function expire(step: Step, approval: Approval): Promise<Approval> {
  return end(step, approval, 'expired', { by: null, reason: null })
}

export function invalidate(step: Step, approval: Approval, reason: string): Promise<Approval> {
  return end(step, approval, 'invalidated', { by: null, reason })
}

/**
 * Ends an approval from before the database was restored or promoted. Closed: it may have been used
 * in the part of history that was lost.
 */
export function endFormerLife(step: Step, approval: Approval): Promise<Approval> {
  const reason = 'The database was restored from a backup, or another one took its place.'
  return invalidate(step, approval, reason)
}

export function resolveByVote(
  step: Step,
  approval: Approval,
  to: 'approved' | 'denied',
  resolution: Resolution,
): Promise<Approval> {
  return end(step, approval, to, resolution)
}

/**
 * Rejects with `not-found`, and with `already-resolved` when the approval has ended or runs
 * already.
 */
export function cancelApproval(
  ctx: GateContext,
  id: string,
  by: Party,
  reason: string | null = null,
  already = alreadyResolved,
): Promise<Approval> {
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, id)
    if (!locked) throw new Problem('not-found', `There is no approval ${id}.`)
    const { approval } = locked
    if (!isOpen(approval.state)) throw already(approval)
    return cancelLocked(step, approval, by, reason)
  })
}

export function cancelLocked(
  step: Step,
  approval: Approval,
  by: Party,
  reason: string | null,
): Promise<Approval> {
  return end(step, approval, 'cancelled', { by, reason })
}

/** For an agent, which learns how an approval ended, but not by whom. */
export function alreadyEnded({ id, state }: Approval): Problem {
  return new Problem('already-resolved', `Approval ${id} is no longer open (${state}).`, { state })
}

export function alreadyResolved({ id, state, resolution }: Approval): Problem {
  const by = resolution?.by ? `; ${resolution.by.subject} decided it` : ''
  return new Problem('already-resolved', `Approval ${id} is no longer open (${state})${by}.`, {
    state,
    resolution: resolution && {
      by: resolution.by && { ...resolution.by },
      reason: resolution.reason,
    },
  })
}

/**
 * Records the outcome of a run, which only the attempt that claimed it can tell. If another replica
 * has given the run up as `unknown` meanwhile, this is late evidence and corrects that.
 * `withOutcome` adds what has to be durable together with it.
 */
export function complete(
  ctx: GateContext,
  id: string,
  action: Action,
  outcome: Outcome,
  withOutcome?: (step: Step) => Promise<void>,
): Promise<void> {
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, id)
    if (!locked || locked.approval.holder?.action !== action.id) return
    const { approval } = locked
    if (
      approval.state === 'dispatching' ||
      (approval.state === 'unknown' && outcome.result !== 'unknown')
    ) {
      await move(step, approval, { to: outcome.result, outcome })
      await step.record(completed(action, outcome, id))
      await withOutcome?.(step)
    }
  })
}

/**
 * Ends the run of a dead replica as `unknown`, since nobody knows what became of it. It stays
 * visible, and is never retried by the gateway.
 */
export function giveUp(ctx: GateContext, id: string): Promise<void> {
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, id)
    if (locked?.approval.state !== 'dispatching') return
    const { approval } = locked
    const outcome: Outcome = { result: 'unknown' }
    await move(step, approval, { to: 'unknown', outcome })
    await step.record(
      completed({ ...approval.action, id: approval.holder!.action }, outcome, approval.id),
    )
  })
}
