import type { Caller } from '../core/caller.ts'
import { Problem } from '../core/errors.ts'
import { stillVouchedFor } from '../identity/credential.ts'
import type { Attempt } from './attempt.ts'
import type { GateContext } from './context.ts'

/**
 * Whether those who vouch for a credential still do, and still count here. Closed: an issuer that
 * is taken out of the configuration is one whose tokens may be anybody's. To be asked before a
 * transaction and not in it (`stillVouchedFor`).
 */
export async function vouchedFor(
  { trusts }: GateContext,
  { action, credential }: Pick<Attempt, 'action' | 'credential'>,
): Promise<boolean> {
  return trusts(action.subject, credential.kind) && stillVouchedFor(credential)
}

/**
 * This replica may be taken for dead by now. Closed: whatever it would do, another one may have
 * given up already.
 */
export function leaseLost(): Problem {
  return new Problem(
    'store-unavailable',
    'This gateway lost touch with the audit store, so nothing was forwarded. Try again when it is back.',
  )
}

/**
 * Whether what was decided in this epoch may be sent still: somebody waits for it, and nobody else
 * can have given it up. Throws the problem `store-unavailable` when somebody can.
 */
export function stillValid({ lease }: GateContext, epoch: number, caller: Caller): boolean {
  if (!lease.held(epoch)) throw leaseLost()
  return !caller.aborted
}
