import type { Caller } from '../core/caller.ts'
import { Problem } from '../core/errors.ts'
import { stillVouchedFor } from '../identity/credential.ts'
import type { Attempt } from './attempt.ts'
import type { GateContext } from './context.ts'

/**
 * Whether those who vouch for a credential still do, and are still trusted. Closed: once an issuer
 * has been taken out of the configuration, its tokens may be anybody's. To be asked before a
 * transaction and not within it (`stillVouchedFor`).
 */
export async function vouchedFor(
  { trusts }: GateContext,
  { action, credential }: Pick<Attempt, 'action' | 'credential'>,
): Promise<boolean> {
  return trusts(action.subject, credential.kind) && stillVouchedFor(credential)
}

/**
 * Closed: other replicas may take this one for dead, and may already have given up whatever it is
 * about to do.
 */
export function leaseLost(): Problem {
  return new Problem(
    'store-unavailable',
    'This gateway lost touch with the audit store, so nothing was forwarded. Try again when it is back.',
  )
}

/**
 * Whether what was decided in this epoch may still be sent: its caller still waits, and no other
 * replica can have given it up. Throws `store-unavailable` if one can.
 */
export function stillValid({ lease }: GateContext, epoch: number, caller: Caller): boolean {
  if (!lease.held(epoch)) throw leaseLost()
  return !caller.aborted
}
