import { isDeepStrictEqual } from 'node:util'
import type { Approval } from '../approvals/approval.ts'
import { isOpen } from '../approvals/machine.ts'
import { getApproval, lockApproval } from '../approvals/store.ts'
import { listOpen } from '../approvals/lists.ts'
import type { Requirement } from '../core/decision.ts'
import { decide } from '../policy/decide.ts'
import type { Queryable } from '../store/db.ts'
import { commit } from './commit.ts'
import type { GateContext } from './context.ts'
import { invalidate } from './settle.ts'
import { usageNow } from './usage-facts.ts'

/** Reviews every open approval, after a change of the policies. */
export async function reviewOpenApprovals(ctx: GateContext): Promise<void> {
  for (const id of await listOpen(ctx.store)) {
    const approval = await getApproval(ctx.store, id)
    if (approval) await reviewApproval(ctx, approval)
  }
}

/**
 * Ends an open approval if the policies in force deny its action, or ask for more than it did.
 * Resolves to the approval as it is then.
 */
export async function reviewApproval(ctx: GateContext, approval: Approval): Promise<Approval> {
  if (!isOpen(approval.state) || !(await objectionTo(ctx, ctx.store, approval))) return approval
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, approval.id)
    if (!locked) throw new Error(`approval ${approval.id} has vanished`)
    const objection =
      isOpen(locked.approval.state) && (await objectionTo(ctx, step.tx, locked.approval))
    return objection ? invalidate(step, locked.approval, objection) : locked.approval
  })
}

async function objectionTo(
  ctx: GateContext,
  db: Queryable,
  { action, decision: asked }: Approval,
): Promise<string | null> {
  const policies = ctx.policies()
  const facts = await usageNow(ctx, db, action, policies)
  const decision = decide(action, facts(), policies)
  if (decision.verdict === 'deny') return 'The policies changed, and deny this action now.'
  const more = decision.requirements.some(
    (now) => !asked.requirements.some((before) => covers(before, now)),
  )
  return more ? 'The policies changed, and ask for more approvals now.' : null
}

function covers(before: Requirement, now: Requirement): boolean {
  return (
    before.rule === now.rule &&
    before.quorum >= now.quorum &&
    isDeepStrictEqual(before.from, now.from)
  )
}
