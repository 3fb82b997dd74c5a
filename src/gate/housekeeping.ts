import { forgetOverdue } from '../approvals/kept-response.ts'
import { isOpen } from '../approvals/machine.ts'
import { deleteSpent } from '../approvals/spool.ts'
import { listLost, listOfAnotherLife, listOverdue } from '../approvals/lists.ts'
import { lockApproval } from '../approvals/store.ts'
import type { CompiledPolicies } from '../policy/compile.ts'
import { forgetWaiters } from '../approvals/waiters.ts'
import { recordErasures } from '../audit/retention/record.ts'
import { deadEpochs } from '../store/lease.ts'
import { commit } from './commit.ts'
import type { GateContext } from './context.ts'
import { reviewOpenApprovals } from './review.ts'
import { runApprovedErrands, type ErrandWorks } from './governing/errands.ts'
import { endFormerLife, expire, giveUp } from './settle.ts'

const atATime = 500

/** Expires approvals that are past their time. Any replica may do it; the second finds it done. */
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

/**
 * Ends approvals from before the database was restored or promoted. They could not be used anyway:
 * the database and the claim refuse them.
 */
async function endFormerLives(ctx: GateContext): Promise<void> {
  for (const id of await listOfAnotherLife(ctx.store)) {
    await commit(ctx, async (step) => {
      const locked = await lockApproval(step.tx, id)
      if (!locked || !isOpen(locked.approval.state) || locked.ofThisLife) return
      await endFormerLife(step, locked.approval)
    })
  }
}

/**
 * Gives every run that a dead epoch left without an outcome the outcome `unknown`, on the approval
 * and in the log, and then closes the epoch.
 */
async function buryTheDead(ctx: GateContext): Promise<void> {
  for (const id of await listLost(ctx.store, ctx.leaseTimes.marginMs)) await giveUp(ctx, id)
  for (const dead of await deadEpochs(ctx.store, ctx.leaseTimes)) {
    const lost = await ctx.audit.bury(dead)
    ctx.log.warn({ ...dead, lost }, 'a replica ended without a word')
  }
}

/** Deletes kept requests, responses and waiters that are of no more use. */
async function forgetSpent({ store, limits }: GateContext): Promise<void> {
  await deleteSpent(store)
  await forgetOverdue(store)
  if (limits.on_disconnect === 'cancel') await forgetWaiters(store)
}

const putErasuresOnRecord = ({ store, audit }: GateContext) => recordErasures(store, audit)

const pause = 1_000

/** Does all of the above every second until stopped. */
export function startHousekeeping(
  ctx: GateContext,
  works: ErrandWorks = {},
): {
  once(): Promise<void>
  stop(): Promise<void>
} {
  let running: Promise<void> | null = null
  // Begins with none: approvals from before this replica started may have been asked for under
  // other policies. Compares the version itself and not its hash, because somebody may have changed
  // the policies and gone back.
  let reviewed: CompiledPolicies | null = null
  const review = async () => {
    const inForce = ctx.policies()
    if (inForce !== reviewed) await reviewOpenApprovals(ctx)
    reviewed = inForce
  }
  const runErrands = () => runApprovedErrands(ctx, works)
  const once = async () => {
    // Grouped by error: without the store all duties fail alike, and one line in the log is enough.
    const late = new Map<string, { err: unknown; duties: string[] }>()
    // Each on its own, so that one failure does not stop the others.
    for (const duty of [
      endFormerLives,
      expireOverdue,
      buryTheDead,
      forgetSpent,
      putErasuresOnRecord,
      review,
      runErrands,
    ]) {
      try {
        await duty(ctx)
      } catch (error) {
        // Closed: what is overdue or out of order cannot be used anyway, because the database and
        // the claim refuse it. It is just not shown as ended yet.
        const duties = late.get(String(error))?.duties ?? []
        late.set(String(error), { err: error, duties: [...duties, duty.name] })
      }
    }
    for (const line of late.values()) ctx.log.warn(line, 'housekeeping is late; trying again')
  }
  // Turns are skipped while the store is slow, so that they do not pile up.
  const timer = setInterval(() => {
    running ??= once().finally(() => (running = null))
  }, pause)
  return {
    once,
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
