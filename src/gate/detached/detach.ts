import type { Approval } from '../../approvals/approval.ts'
import { isOpen } from '../../approvals/machine.ts'
import { insertSpooled, type SpooledRequest } from '../../approvals/spool.ts'
import type { Attempt, DetachableAttempt } from '../attempt.ts'
import type { Step } from '../commit.ts'
import type { GateContext } from '../context.ts'

export function isDetachable(attempt: Attempt | DetachableAttempt): attempt is DetachableAttempt {
  // Closed: a credential that its issuer is asked about each time cannot be looked at once its
  // bearer is gone. A certificate has an end of its own, and is not known to be revoked without its
  // connection.
  const { kind, recheck } = attempt.credential
  return 'spool' in attempt && (kind === 'certificate' || !recheck)
}

/**
 * Keeps the request of a detachable attempt, in the transaction that opens its approval: the caller
 * is told when both are durable.
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

/** Throws when the request was changed: closed, what is sent is what was approved. */
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

/** What a kept response is sealed for. */
export function responseOf(id: string): string {
  return `${id} response`
}
