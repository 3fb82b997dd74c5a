import { isOpen } from '../approvals/machine.ts'
import { standingOf, type Found, type Standing } from '../approvals/standing.ts'
import { getApproval, lockApproval } from '../approvals/store.ts'
import { insertWaiter } from '../approvals/waiters.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import type { Attempt, DetachableAttempt } from './attempt.ts'
import { asProblem, commit } from './commit.ts'
import type { GateContext } from './context.ts'
import { decidedAnew } from './decided-anew.ts'
import { isDetachable, keepRequest } from './detached/detach.ts'
import { decided } from './events.ts'
import { look } from './look.ts'
import type { Permit } from './permit.ts'
import { requestApproval, type Bound } from './request-approval.ts'
import { reviewApproval } from './review.ts'
import { useGrant } from './use-grant.ts'

/** Either a permit under a grant, or the approval that the attempt waits for. */
export type Arrived = { readonly permit: Permit } | { readonly standing: Standing }

type Arriving = readonly [GateContext, Attempt | DetachableAttempt, Decision, Bound]

/**
 * Finds where a held attempt belongs: under a grant, which lets it run; or with an approval, which
 * is the one that it names, one that is open for the same request, or a new one. The decision is on
 * record when this resolves. Rejects with `approval-mismatch` when the attempt names an approval
 * for anything else, and with the reason when it may not ask for one.
 *
 * Thousands may arrive at once, and nearly all of them join what is open already. They look for it
 * together, and take no lock.
 */
export async function arrive(...arriving: Arriving): Promise<Arrived> {
  const [ctx, attempt, , bound] = arriving
  if (attempt.approval !== null) {
    return { standing: await joinNamed(attempt.approval, arriving) }
  }
  for (;;) {
    const { open, granted } = await find(ctx, attempt, bound)
    const permit = granted ? await useGrant(ctx, attempt, bound) : null
    if (permit) return { permit }
    const standing = open ? await join(open, arriving) : await ask(arriving)
    // Without a standing, the approval ended in between, and there has to be another one.
    if (standing) return { standing: await reviewed(ctx, standing) }
  }
}

async function find(
  ctx: GateContext,
  { action }: Attempt,
  { subjectKey, digest, binding }: Bound,
): Promise<Found> {
  const { resource } = action
  try {
    // The body may have taken its time, and the policies may have changed meanwhile.
    return await decidedAnew(ctx, () => {
      const { generation } = ctx.policies()
      return ctx.holds.find({ subjectKey, resource, digest, binding, generation })
    })
  } catch (error) {
    throw asProblem(error)
  }
}

async function joinNamed(id: string, arriving: Arriving): Promise<Standing> {
  const [ctx, { action }, decision, { subjectKey, digest }] = arriving
  const approval = await getApproval(ctx.store, id).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (
    approval?.subjectKey === subjectKey &&
    approval.digest === digest &&
    approval.resource === action.resource
  ) {
    const standing = await join(standingOf(approval), arriving)
    return reviewed(ctx, standing ?? standingOf(approval))
  }
  await ctx.audit.append(decided(action, decision, digest))
  // One answer for an approval that does not exist, is somebody else's, or is for another request,
  // so that nobody can probe for approvals or substitute one.
  throw new Problem(
    'approval-mismatch',
    `Approval ${id} is not for this request. What was approved is exactly what runs: send it unchanged, or leave the id out to ask anew.`,
    { action: action.id },
  )
}

/** Resolves to `null` if the approval is no longer open and this attempt did not name it. */
async function join(
  standing: Standing,
  [ctx, attempt, decision, bound]: Arriving,
): Promise<Standing | null> {
  const { action } = attempt
  const { id } = standing
  const event = decided(action, decision, bound.digest, id)
  const cancels = ctx.limits.on_disconnect === 'cancel'
  if (!cancels && !isDetachable(attempt)) {
    // No lock is needed, because whoever uses the approval looks at it again under its lock.
    await ctx.audit.append(event)
    // A vote since then could not wake this attempt, which does not wait yet.
    return look(ctx, id)
  }
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, id)
    if (!locked || (attempt.approval === null && !isOpen(locked.approval.state))) return null
    await step.record(event)
    await keepRequest(ctx, step, attempt, locked.approval)
    if (cancels) {
      const { replica, epoch } = ctx.lease
      await insertWaiter(step.tx, id, { replica, epoch, action: action.id })
    }
    return standingOf(locked.approval)
  })
}

/** One of the attempts that want the same asks for all of them. */
async function ask(arriving: Arriving): Promise<Standing | null> {
  const [ctx, , , { digest, subjectKey }] = arriving
  const { asking, opening } = ctx.lines
  const { standing, asked } = await asking.enter(
    digest,
    async () => {
      const open = () => requestApproval(...arriving)
      const approval = await opening.enter(subjectKey, open, () => null)
      return { standing: standingOf(approval), asked: true }
    },
    (done) => ({ ...done, asked: false }),
  )
  return asked ? standing : join(standing, arriving)
}

/**
 * Reviews the approval if the policies have changed since the decision: the review of all open
 * approvals may have come before this one existed.
 */
async function reviewed(ctx: GateContext, standing: Standing): Promise<Standing> {
  if (standing.decision.policy === ctx.policies().hash) return standing
  const approval = await getApproval(ctx.store, standing.id).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (!approval) throw new Error(`approval ${standing.id} has vanished`)
  return standingOf(await reviewApproval(ctx, approval))
}
