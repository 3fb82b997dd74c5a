import { randomUUIDv7 } from 'node:crypto'
import type { Approval, Connection, NewApproval } from '../approvals/approval.ts'
import { exclusionOf } from '../approvals/exclusion.ts'
import { countAskedLately, countOpen, lockSubject } from '../approvals/asked.ts'
import { databaseTime, findOpen, insertApproval, insertExclusion } from '../approvals/store.ts'
import { insertWaiter } from '../approvals/waiters.ts'
import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import type { Credential } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'
import { announce } from './notices/announce.ts'
import type { Attempt, DetachableAttempt, Sealed } from './attempt.ts'
import { commit, type Step } from './commit.ts'
import type { GateContext } from './context.ts'
import { keepRequest } from './detached/detach.ts'
import { decided, requested } from './events.ts'
import { ranBefore } from './ran-before.ts'
import { expire } from './settle.ts'
import { viewHash } from './view.ts'

/**
 * What identifies a held action. Two attempts with the same subject, resource, digest and binding
 * are the same request.
 */
export interface Bound {
  readonly subjectKey: string
  readonly digest: string
  /** A digest of the upstream and the credential of the resource. */
  readonly binding: string
  readonly sealed: Sealed
}

/**
 * Opens an approval for this attempt, or joins one that was opened for the same request meanwhile.
 * Rejects with `too-many-holds` and `hold-rate-exceeded`.
 */
export async function requestApproval(
  ctx: GateContext,
  attempt: Attempt | DetachableAttempt,
  decision: Decision,
  bound: Bound,
): Promise<Approval> {
  const { action } = attempt
  const result = await commit(ctx, async (step) => {
    // One at a time for each subject, or else two could exceed the limit, or open the same request
    // twice.
    await lockSubject(step.tx, bound.subjectKey)
    const approval = await joinOrOpen(ctx, step, attempt, decision, bound)
    const id = approval instanceof Problem ? undefined : approval.id
    await step.record(decided(action, decision, bound.digest, id))
    if (!(approval instanceof Problem)) {
      await keepRequest(ctx, step, attempt, approval)
      if (ctx.limits.on_disconnect === 'cancel') {
        const { replica, epoch } = ctx.lease
        await insertWaiter(step.tx, approval.id, { replica, epoch, action: action.id })
      }
    }
    return approval
  })
  if (result instanceof Problem) throw result
  return result
}

async function joinOrOpen(
  ctx: GateContext,
  step: Step,
  { action, connection, credential }: Attempt,
  decision: Decision,
  { subjectKey, digest, binding, sealed }: Bound,
): Promise<Approval | Problem> {
  const { tx } = step
  const open = await findOpen(tx, subjectKey, action.resource, digest)
  const now = await databaseTime(tx)
  if (open && open.expiresAt > now) return open
  if (open) await expire(step, open)

  if ((await countOpen(tx, subjectKey)) >= ctx.limits.max_per_subject) {
    return new Problem(
      'too-many-holds',
      `${ctx.limits.max_per_subject} of your actions wait for approval already. Wait for them, or cancel some.`,
      { action: action.id },
    )
  }

  if ((await countAskedLately(tx, subjectKey)) >= ctx.limits.max_per_hour) {
    return new Problem(
      'hold-rate-exceeded',
      `You asked for ${ctx.limits.max_per_hour} approvals within an hour. People cannot look at more; try again later.`,
      { action: action.id },
    )
  }

  const content: Omit<NewApproval, 'viewHash'> = {
    id: randomUUIDv7(),
    subjectKey,
    resource: action.resource,
    digest,
    binding,
    action: await withFirstUses(ctx, tx, action),
    payload: sealed.payload,
    decision,
    ranBefore: await ranBefore(tx, subjectKey, action.resource, digest),
    connection: connection === null ? null : connectionHere(ctx, connection, credential),
    definitions: sealed.definitions ?? null,
    createdAt: now,
    // With several rules, the earliest expiry wins.
    expiresAt: new Date(now.getTime() + Math.min(...decision.requirements.map((r) => r.expiresMs))),
  }
  const approval = { ...content, viewHash: viewHash(content) }
  await insertApproval(tx, approval)
  await insertExclusion(tx, approval.id, exclusionOf(action.subject))
  await step.record(requested(approval))
  await announce(tx, approval, ctx.announcing)
  step.changed(approval.id)
  return {
    ...approval,
    state: 'pending',
    version: 1,
    resolvedAt: null,
    resolution: null,
    holder: null,
    outcome: null,
  }
}

/** Adds the data that the subject has never touched before, for approvers to see. */
async function withFirstUses(ctx: GateContext, tx: Queryable, action: Action): Promise<Action> {
  const first = await ctx.usage.firstUses(tx, action)
  if (!first || first.length === 0) return action
  const { attributes } = action
  return { ...action, attributes: { ...attributes, usage: { ...attributes['usage'], first } } }
}

function connectionHere({ lease }: GateContext, id: string, { expiresAt }: Credential): Connection {
  return { id, replica: lease.replica, epoch: lease.epoch, until: expiresAt }
}
