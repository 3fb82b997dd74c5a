import type { Approval } from '../../approvals/approval.ts'
import { isOpen } from '../../approvals/machine.ts'
import { insertSpooled, type SpooledRequest } from '../../approvals/spool.ts'
import type { Attempt, DetachableAttempt } from '../attempt.ts'
import type { Step } from '../commit.ts'
import type { GateContext } from '../context.ts'

export function isDetachable(attempt: Attempt | DetachableAttempt): attempt is DetachableAttempt {
  // Closed: a credential that has to be checked with its issuer each time cannot be checked once
  // its bearer is gone. A certificate may detach: it has an expiry of its own, and without its
  // connection a revocation could not be known anyway.
  const { kind, recheck } = attempt.credential
  return 'spool' in attempt && (kind === 'certificate' || !recheck)
}

/**
 * Keeps the request of a detachable attempt, in the transaction that opens its approval, so that
 * both are durable when the caller is told.
 */
export async function keepRequest(
  { sealer }: GateContext,
  { tx }: Step,
  attempt: Attempt | DetachableAttempt,
  { id, state }: Approval,
): Promise<void> {
  if (!isDetachable(attempt) || !isOpen(state)) return
  const { action, credential } = attempt
  await insertSpooled(tx, id, {
    action,
    credential,
    ...sealer.seal(attempt.spool(), requestOf(id)),
  })
}

/**
 * Opens a kept request. Closed: throws if it was changed, so that only what was approved is sent.
 */
export function openRequest(
  { sealer }: GateContext,
  id: string,
  { sealed }: SpooledRequest,
): Buffer {
  return sealer.open(sealed, requestOf(id))
}

function requestOf(id: string): string {
  return `${id} request`
}

/** The context that a kept response is sealed for. */
export function responseOf(id: string): string {
  return `${id} response`
}
