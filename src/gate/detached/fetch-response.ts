import type { Approval } from '../../approvals/approval.ts'
import {
  getResponse,
  markDelivered,
  type Gone,
  type KeptResponse,
} from '../../approvals/kept-response.ts'
import { hasRun, isOpen } from '../../approvals/machine.ts'
import { Problem } from '../../core/errors.ts'
import { asProblem, commit } from '../commit.ts'
import type { GateContext } from '../context.ts'
import { responseOf } from './detach.ts'
import { refusal, retryAfter, taskOf } from '../task.ts'

/** A kept response, for whoever asked for it. */
export interface FetchedResponse {
  /** The bytes as the protocol gave them to be kept. */
  readonly answer: Buffer
  /** To be called when all of it has been handed over. It cannot be fetched again after that. */
  delivered(): Promise<void>
}

const reasons: Record<Gone, string> = {
  delivered: 'It has been delivered.',
  expired: 'Nobody fetched it in time.',
  'too-large': 'It has more than hold.max_response bytes, so it was not kept.',
  'no-answer': 'The upstream did not answer completely.',
}

/**
 * Rejects with `response-pending` before there is a response, with `response-gone` when none will
 * come, and with the reason if the action did not run.
 */
export async function fetchResponse(
  ctx: GateContext,
  approval: Approval,
): Promise<FetchedResponse> {
  const { id, state } = approval
  const task = taskOf(approval)
  if (isOpen(state) || state === 'dispatching') {
    const detail = 'There is no response yet. Ask again after as many seconds as Retry-After says.'
    throw new Problem('response-pending', detail, { task, retry_after: retryAfter })
  }
  if (!hasRun(state)) throw refusal(approval, approval.action.id)

  const kept = await getResponse(ctx.store, id).catch((error: unknown) => {
    throw asProblem(error)
  })
  if (kept?.sealed && ctx.sealer.keyIds.includes(kept.keyId)) {
    return {
      answer: ctx.sealer.open(kept.sealed, responseOf(id)),
      delivered: () => deliver(ctx, approval),
    }
  }
  const why = kept?.gone ? reasons[kept.gone] : whyNotKept(approval, kept)
  const reason = kept?.gone ?? 'not-kept'
  throw new Problem('response-gone', `There is no response to fetch. ${why}`, { reason, task })
}

function whyNotKept({ state }: Approval, kept: KeptResponse | null): string {
  if (kept) return 'It was sealed by a key that this gateway does not have.'
  if (state === 'unknown')
    return 'The gateway that sent the request ended before it had the answer.'
  return 'It was given to the request that waited for it on its connection.'
}

function deliver(
  ctx: GateContext,
  { id, action, holder, resource, digest }: Approval,
): Promise<void> {
  return commit(ctx, async ({ tx, record }) => {
    if (!(await markDelivered(tx, id))) return
    await record({
      type: 'response.delivered',
      subject: action.subject,
      action: { id: holder!.action, name: action.name },
      resource,
      digest,
      approval: id,
    })
  })
}
