import { hasKnownOwner } from '../approvals/exclusion.ts'
import { hasRun, isOpen } from '../approvals/machine.ts'
import { isSpooled } from '../approvals/spool.ts'
import type { Standing } from '../approvals/standing.ts'
import { lockApproval } from '../approvals/store.ts'
import { anybodyWaits, deleteWaiter } from '../approvals/waiters.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import { arrive, type Arrived } from './arrive.ts'
import type { Accepted, Attempt, DetachableAttempt, Waiting } from './attempt.ts'
import { actionDigest, subjectKey } from './binding.ts'
import { claim } from './claim.ts'
import { commit } from './commit.ts'
import type { GateContext } from './context.ts'
import { deny } from './deny.ts'
import { isDetachable } from './detached/detach.ts'
import { decided } from './events.ts'
import type { Claimed } from './lines.ts'
import { look } from './look.ts'
import type { Permit } from './permit.ts'
import type { Bound } from './request-approval.ts'
import { cancelLocked } from './settle.ts'
import { refusal, statusEndpoint, taskOf } from './task.ts'

/**
 * Attempts that one subject may have waiting on one replica, for each approval that it may have
 * open. Clients repeat requests that get no answer, but not without end.
 */
const attemptsPerApproval = 10

/**
 * Holds an attempt until people have decided. Rejects with `too-many-holds` where the subject has
 * too many attempts waiting here, which would fill the memory and keep others from the database;
 * otherwise with the problem that ended the wait.
 */
export async function hold(
  ctx: GateContext,
  attempt: Attempt | DetachableAttempt,
  decision: Decision,
): Promise<Permit | Accepted> {
  const { action } = attempt
  const most = ctx.limits.max_per_subject * attemptsPerApproval
  const leave = ctx.holds.enter(subjectKey(action.subject), most)
  if (!leave) {
    await ctx.audit.append(decided(action, decision))
    const detail = `${most} of your requests wait here already. Wait for their answers first.`
    throw new Problem('too-many-holds', detail, { action: action.id })
  }
  try {
    return await holdOne(ctx, attempt, decision)
  } finally {
    leave()
  }
}

/** Takes the payload in, asks for an approval or joins an open one, waits, and claims it. */
async function holdOne(
  ctx: GateContext,
  attempt: Attempt | DetachableAttempt,
  decision: Decision,
): Promise<Permit | Accepted> {
  const { action, caller } = attempt
  if (!hasKnownOwner(action.subject)) {
    return deny(ctx, action, {
      ...decision,
      verdict: 'deny',
      reason: 'owner-unknown',
      requirements: [],
    })
  }

  const deadline = performance.now() + attempt.waitMs
  const { arrived, digest } = await takeIn(ctx, attempt, decision)
  if ('permit' in arrived) return arrived.permit
  let { standing } = arrived
  if (standing.state === 'pending') attempt.held?.(waitingFor(standing))
  const detached = isDetachable(attempt) && isOpen(standing.state)
  for (;;) {
    const left = deadline - performance.now()
    if (standing.state === 'approved' && !caller.aborted) {
      const claimed = await claimInTurn(ctx, attempt, standing, digest)
      if (claimed.permit) return claimed.permit
      ;({ standing } = claimed)
    } else if (standing.state === 'pending' && left > 0 && !caller.aborted && !ctx.holds.draining) {
      await ctx.holds.wait(standing.id, left, caller)
      standing = await look(ctx, standing.id)
    } else if (detached && (isOpen(standing.state) || hasRun(standing.state))) {
      return {
        action: action.id,
        task: taskOf(standing),
        endpoint: statusEndpoint(standing.id),
      }
    } else {
      await leave(ctx, attempt, standing)
      throw refusal(standing, action.id)
    }
  }
}

/**
 * Takes the payload in. Returns nothing of it but its digest, because many attempts may now wait
 * for long.
 */
async function takeIn(
  ctx: GateContext,
  attempt: Attempt | DetachableAttempt,
  decision: Decision,
): Promise<{ readonly arrived: Arrived; readonly digest: string }> {
  const { action, binding } = attempt
  const sealed = await attempt.seal().catch(async (error: unknown) => {
    // The try goes on record even when it is too large or too unclear for anybody to approve.
    await ctx.audit.append(decided(action, decision))
    throw error
  })
  const bound: Bound = {
    subjectKey: subjectKey(action.subject),
    digest: actionDigest(action, binding, sealed.digest),
    binding,
    sealed,
  }
  return { arrived: await arrive(ctx, attempt, decision, bound), digest: sealed.digest }
}

/**
 * One of the attempts that wait here tries to claim, and tells the others how it ended. All at
 * once, they would queue for one lock in the database.
 */
async function claimInTurn(
  ctx: GateContext,
  attempt: Attempt,
  standing: Standing,
  payloadDigest: string,
): Promise<Claimed> {
  const { caller } = attempt
  return ctx.lines.claiming.enter(
    standing.id,
    async () =>
      caller.aborted ? { permit: null, standing } : claim(ctx, attempt, standing.id, payloadDigest),
    (claimed) =>
      claimed.standing.state === 'approved' ? null : { permit: null, standing: claimed.standing },
  )
}

function waitingFor({ id, decision }: Standing): Waiting {
  const groups = decision.requirements.flatMap(({ from }) => ('group' in from ? [from.group] : []))
  return { approval: id, rules: decision.rules, groups: [...new Set(groups)] }
}

/**
 * An attempt stops waiting. Its approval stays for a request that is sent again, or is cancelled if
 * the caller went away and the configuration says so.
 */
async function leave(
  ctx: GateContext,
  { action, caller }: Attempt,
  { id, state }: Standing,
): Promise<void> {
  if (ctx.limits.on_disconnect !== 'cancel' || !isOpen(state)) return
  const { issuer, subject } = action.subject
  await commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, id)
    await deleteWaiter(step.tx, id, action.id)
    if (!caller.aborted || !locked || !isOpen(locked.approval.state)) return
    // Somebody else still waits, on any replica, or the gateway itself does.
    if (await anybodyWaits(step.tx, id, ctx.leaseTimes.marginMs)) return
    if (await isSpooled(step.tx, id)) return
    await cancelLocked(step, locked.approval, { issuer, subject }, 'The client went away.')
  })
}
