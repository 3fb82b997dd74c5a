import { randomUUIDv7 } from 'node:crypto'
import { insertResponse } from '../../approvals/kept-response.ts'
import { isOpen } from '../../approvals/machine.ts'
import { getSpooled } from '../../approvals/spool.ts'
import { getApproval, lockApproval } from '../../approvals/store.ts'
import { actionDigest } from '../binding.ts'
import { claim } from '../claim.ts'
import { commit, type Step } from '../commit.ts'
import type { GateContext } from '../context.ts'
import { openRequest, responseOf } from './detach.ts'
import type { Permit } from '../permit.ts'
import { invalidate } from '../settle.ts'

/** A kept request, ready to be sent to its resource as the configuration has it now. */
export interface Prepared {
  /** A digest of the resource's present upstream and credential. */
  readonly binding: string
  /** SHA-256, in hex, over everything that would be forwarded. */
  readonly digest: string
  /** Sends it, and completes the permit. Never rejects. */
  send(permit: Permit): Promise<void>
  /**
   * The response, in a form that its protocol reads, or why there is none to keep. To be called
   * once the permit is completed.
   */
  answer(): Buffer | 'too-large' | 'no-answer'
}

/**
 * Prepares what a detachable attempt has spooled; returns `null` where its resource no longer
 * exists.
 */
export type Prepare = (resource: string, spool: Buffer) => Prepared | null

const nobody = new AbortController().signal

/**
 * Claims an approved request and begins to send it. Resolves to `null` if it is not to be sent
 * here, or not at all; otherwise to a promise of its end. Only what was approved is sent, and only
 * to where it was to go: if the request was changed, or the resource leads elsewhere by now, the
 * approval ends.
 */
export async function beginDetached(
  ctx: GateContext,
  prepare: Prepare,
  id: string,
): Promise<{ readonly sent: Promise<void> } | null> {
  const [spooled, approval] = [await getSpooled(ctx.store, id), await getApproval(ctx.store, id)]
  if (!spooled || !approval) return null
  const { credential } = spooled
  // A new action id for each try, because a claim belongs to one action, and no two tries may take
  // it for theirs.
  const action = { ...spooled.action, id: randomUUIDv7() }
  const prepared = prepareSafely(ctx, prepare, approval.resource, () =>
    openRequest(ctx, id, spooled),
  )
  const bound = prepared && actionDigest(action, prepared.binding, prepared.digest)
  if (!prepared || bound !== approval.digest) {
    await giveUp(ctx, id)
    return null
  }

  const withOutcome = (step: Step): Promise<void> => keepAnswer(ctx, step, id, prepared.answer())
  const claimant = { action, credential, caller: nobody, detached: { withOutcome } }
  const { permit } = await claim(ctx, claimant, id, prepared.digest)
  return permit && { sent: prepared.send(permit) }
}

function prepareSafely(
  { log }: GateContext,
  prepare: Prepare,
  resource: string,
  open: () => Buffer,
): Prepared | null {
  try {
    return prepare(resource, open())
  } catch (error) {
    // Closed: a request that cannot be opened is not the one that was kept.
    log.error({ err: error }, 'a kept request cannot be opened')
    return null
  }
}

function giveUp(ctx: GateContext, id: string): Promise<void> {
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, id)
    if (!locked || !isOpen(locked.approval.state)) return
    await invalidate(
      step,
      locked.approval,
      'The resource has another upstream or credential now than the one that this was approved for.',
    )
  })
}

async function keepAnswer(
  { sealer, limits }: GateContext,
  { tx }: Step,
  id: string,
  answer: ReturnType<Prepared['answer']>,
): Promise<void> {
  const kept =
    typeof answer === 'string'
      ? { keyId: sealer.keyId, sealed: null, gone: answer }
      : { ...sealer.seal(answer, responseOf(id)), gone: null }
  await insertResponse(tx, id, kept, limits.keep_response)
}
