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

/**
 * Ends what a restored or promoted database has from before. It could not be used anyway; the
 * database and the claim say no.
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
 * Whatever a dead epoch left without an outcome gets the outcome `unknown`, on the approval and in
 * the log; then the epoch is closed.
 */
async function buryTheDead(ctx: GateContext): Promise<void> {
  for (const id of await listLost(ctx.store, ctx.leaseTimes.marginMs)) await giveUp(ctx, id)
  for (const dead of await deadEpochs(ctx.store, ctx.leaseTimes)) {
    const lost = await ctx.audit.bury(dead)
    ctx.log.warn({ ...dead, lost }, 'a replica ended without a word')
  }
}

/** What was kept of requests, responses and waiters is gone when there is no more use for it. */
async function forgetSpent({ store, limits }: GateContext): Promise<void> {
  await deleteSpent(store)
  await forgetOverdue(store)
  if (limits.on_disconnect === 'cancel') await forgetWaiters(store)
}

const putErasuresOnRecord = ({ store, audit }: GateContext) => recordErasures(store, audit)

const pause = 1_000

/** Does all of the above every second, for as long as this replica lives. */
export function startHousekeeping(
  ctx: GateContext,
  works: ErrandWorks = {},
): {
  once(): Promise<void>
  stop(): Promise<void>
} {
  let running: Promise<void> | null = null
  // None: what waits since before this replica began was asked for under policies that may have
  // been others. The version itself, not its hash: somebody may have gone back to it, and forth.
  let reviewed: CompiledPolicies | null = null
  const review = async () => {
    const inForce = ctx.policies()
    if (inForce !== reviewed) await reviewOpenApprovals(ctx)
    reviewed = inForce
  }
  const runErrands = () => runApprovedErrands(ctx, works)
  const once = async () => {
    // By what the error says: without the store all say the same, and one line is enough.
    const late = new Map<string, { err: unknown; duties: string[] }>()
    // Each by itself: what stops one of them must not stop the others.
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
        // Closed: what is overdue or no longer in order cannot be used anyway; the database and the
        // claim say no. It is only not shown as ended yet.
        const duties = late.get(String(error))?.duties ?? []
        late.set(String(error), { err: error, duties: [...duties, duty.name] })
      }
    }
    for (const line of late.values()) ctx.log.warn(line, 'housekeeping is late; trying again')
  }
  // While the store is slow, turns are left out; they would pile up.
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
