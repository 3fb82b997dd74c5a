import type { Approval } from '../approvals/approval.ts'
import type { Requirement } from '../core/decision.ts'
import { isOpen } from '../approvals/machine.ts'
import {
  getApproval,
  listDispatchingOf,
  listOpen,
  listOverdue,
  lockApproval,
} from '../approvals/store.ts'
import { decide } from '../policy/decide.ts'
import { commit } from './commit.ts'
import type { GateContext } from './context.ts'
import { expire, giveUp, invalidate } from './settle.ts'

const atATime = 500

/** Expires what is past its time. Any replica may; whoever is second finds it done. */
export async function expireOverdue(ctx: GateContext): Promise<void> {
  for (const id of await listOverdue(ctx.store, atATime)) {
    await commit(ctx, async (step) => {
      const locked = await lockApproval(step.tx, id)
      if (!locked || !isOpen(locked.approval.state) || locked.approval.expiresAt > locked.now)
        return
      await expire(step, locked.approval)
    })
  }
}

/** Ends the runs that a dead replica left behind. */
export async function giveUpRunsOf(
  ctx: GateContext,
  dead: { replica: string; epoch: number },
): Promise<void> {
  for (const id of await listDispatchingOf(ctx.store, dead)) await giveUp(ctx, id)
}

/** After a change of the policies: an open approval ends only where the new ones deny its action, or ask for more than it does. */
export async function reviewOpenApprovals(ctx: GateContext): Promise<void> {
  for (const id of await listOpen(ctx.store)) {
    const approval = await getApproval(ctx.store, id)
    if (!approval || !objectionTo(ctx, approval)) continue
    await commit(ctx, async (step) => {
      const locked = await lockApproval(step.tx, id)
      if (!locked || !isOpen(locked.approval.state)) return
      const objection = objectionTo(ctx, locked.approval)
      if (objection) await invalidate(step, locked.approval, objection)
    })
  }
}

function objectionTo(ctx: GateContext, approval: Approval): string | null {
  const decision = decide(approval.action, {}, ctx.policies())
  if (decision.verdict === 'deny') return 'The policies changed, and deny this action now.'
  const asked = approval.decision.requirements
  const more = decision.requirements.some((now) => !asked.some((before) => covers(before, now)))
  return more ? 'The policies changed, and ask for more approvals now.' : null
}

function covers(before: Requirement, now: Requirement): boolean {
  return (
    before.rule === now.rule &&
    before.quorum >= now.quorum &&
    JSON.stringify(before.from) === JSON.stringify(now.from)
  )
}
