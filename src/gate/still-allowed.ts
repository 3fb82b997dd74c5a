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
 * What was permitted a while ago, and goes on: a stream of events, a long answer, a connection that
 * carries more than one message.
 */
export interface Running {
  readonly action: Action
  readonly credential: Credential
  readonly permit: Permit
  /**
   * Whether it is open without an end of its own. Then it ends with the approval, or the grant,
   * that it was opened under.
   */
  readonly endless: boolean
}

/**
 * Why what runs may not go on, or `null` if it may: its credential ended or was revoked, the
 * policies in force deny it or ask for an approval that it has not, or its approval is over. To be
 * asked about once a second: what was allowed is no right to go on.
 */
export async function whyEnded(ctx: GateContext, running: Running): Promise<Problem | null> {
  try {
    running.permit.assertHeld()
    return (await endOfCredential(ctx, running)) ?? (await endOfLeave(ctx, running))
  } catch (error) {
    // Closed: others may have written down its outcome.
    if (error instanceof Problem) return error
    if (!(error instanceof StoreError)) throw error
    // It goes on for as long as the lease does: some seconds, after which the first question ends
    // it.
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
  // Closed: by rules that no longer count nothing goes on, as nothing begins by them.
  if (!(await knowsInForce(ctx))) return policiesChanged()
  const policies = ctx.policies()
  const decision = decide(action, await usageThen(ctx, action, policies), policies)
  if (decision.verdict === 'allow') return null
  if (decision.verdict === 'deny') {
    return new Problem('denied', 'The policies in force deny this action.')
  }
  // Closed: what nobody approved, and would have to be approved now, ends.
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

/** By the database's clock, as everything that ends. */
async function isOver({ store }: GateContext, { until }: Leave): Promise<boolean> {
  const [row] = await store.query<{ over: boolean }>(
    'SELECT clock_timestamp() >= $1::timestamptz AS over',
    [until],
  )
  return row!.over
}
