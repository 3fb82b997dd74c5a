import { getApproval } from '../approvals/store.ts'
import type { Action } from '../core/action.ts'
import { Problem } from '../core/errors.ts'
import type { Credential } from '../core/subject.ts'
import { credentialStillValid } from '../identity/credential.ts'
import { decide } from '../policy/decide.ts'
import { StoreError } from '../store/db.ts'
import { obstacleIn } from './claim.ts'
import type { GateContext } from './context.ts'
import { policiesChanged } from './decided-anew.ts'
import { readInForce } from './in-force/generations.ts'
import type { Leave, Permit } from './permit.ts'
import { vouchedFor } from './still-valid.ts'
import { usageThen } from './usage-facts.ts'

/**
 * An action that was permitted a while ago and goes on, such as a stream of events, a long answer,
 * or a connection that carries more than one message.
 */
export interface Running {
  readonly action: Action
  readonly credential: Credential
  readonly permit: Permit
  /**
   * Whether it has no end of its own. It then ends with the approval or the grant that it was
   * opened under.
   */
  readonly endless: boolean
}

/**
 * Why a running action may not go on, or `null` if it may: its credential ended or was revoked, the
 * policies in force deny it or ask for an approval that it does not have, or its approval is over.
 * To be asked about once a second: to have been allowed is no right to go on.
 */
export async function whyEnded(ctx: GateContext, running: Running): Promise<Problem | null> {
  try {
    running.permit.assertHeld()
    return (await endOfCredential(ctx, running)) ?? (await endOfLeave(ctx, running))
  } catch (error) {
    // Closed: another replica may have recorded its outcome.
    if (error instanceof Problem) return error
    if (!(error instanceof StoreError)) throw error
    // Without the store, it goes on until the lease ends in some seconds. `assertHeld` throws then.
    ctx.log.warn({ err: error, action: running.action.id }, 'what runs could not be looked at')
    return null
  }
}

async function endOfCredential(ctx: GateContext, running: Running): Promise<Problem | null> {
  const { credential } = running
  if ((await vouchedFor(ctx, running)) && (await credentialStillValid(ctx.store, credential)))
    return null
  return new Problem('unauthenticated', 'The credential of this request is no longer valid.')
}

async function endOfLeave(
  ctx: GateContext,
  { action, permit, endless }: Running,
): Promise<Problem | null> {
  const { under } = permit
  if (endless && under && (await isOver(ctx, under))) {
    return new Problem('approval-expired', 'The approval that this was opened under is over.')
  }
  if (ctx.observed.has(action.resource)) return null
  // Closed: nothing goes on by rules that no longer count, just as nothing begins by them.
  if (!(await knowsInForce(ctx))) return policiesChanged()
  const policies = ctx.policies()
  const decision = decide(action, await usageThen(ctx, action, policies), policies)
  if (decision.verdict === 'allow') return null
  if (decision.verdict === 'deny') {
    return new Problem('denied', 'The policies in force deny this action.')
  }
  // Closed: what would have to be approved now, and was not, ends.
  const approval = under && (await getApproval(ctx.store, under.approval))
  const obstacle = approval
    ? await obstacleIn(ctx, ctx.store, approval, decision)
    : 'The policies in force ask for an approval.'
  return obstacle === null ? null : new Problem('approval-invalidated', obstacle)
}

async function knowsInForce(ctx: GateContext): Promise<boolean> {
  const { generation } = await readInForce(ctx.store)
  if (ctx.policies().generation < generation) await ctx.catchUp()
  return ctx.policies().generation >= generation
}

/** By the database's clock, like every expiry. */
async function isOver({ store }: GateContext, { until }: Leave): Promise<boolean> {
  const [row] = await store.query<{ over: boolean }>(
    'SELECT clock_timestamp() >= $1::timestamptz AS over',
    [until],
  )
  return row!.over
}
