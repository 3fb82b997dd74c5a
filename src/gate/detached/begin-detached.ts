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

/** A kept request, ready to be sent to its resource as that is configured now. */
export interface Prepared {
  /** Names the upstream and the credential that the resource is bound to now. */
  readonly binding: string
  /** SHA-256, in hex, over everything that would be forwarded. */
  readonly digest: string
  /** Sends it, and completes the permit. Never rejects. */
  send(permit: Permit): Promise<void>
  /**
   * What came back when the permit was completed, in a form that its protocol reads; or why there
   * is nothing to keep.
   */
  answer(): Buffer | 'too-large' | 'no-answer'
}

/**
 * Makes ready what a detachable attempt has spooled; `null` where its resource is not there any
 * more.
 */
export type Prepare = (resource: string, spool: Buffer) => Prepared | null

const nobody = new AbortController().signal

/**
 * Claims an approved request, and begins to send it. Resolves to what tells when it has been sent;
 * to `null` if it is not to be sent here, or not at all. What is sent is what was approved, to
 * where it was to go: a request that was changed, or a resource that leads elsewhere by now, ends
 * the approval.
 */
export async function beginDetached(
  ctx: GateContext,
  prepare: Prepare,
  id: string,
): Promise<{ readonly sent: Promise<void> } | null> {
  const [spooled, approval] = [await getSpooled(ctx.store, id), await getApproval(ctx.store, id)]
  if (!spooled || !approval) return null
  const { credential } = spooled
  // An action of its own for each try: a claim belongs to one, and no two may take it for theirs.
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
    // Closed: what cannot be opened is not what was kept.
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
