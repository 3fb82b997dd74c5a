import { Problem } from '../core/errors.ts'
import type { GateContext } from './context.ts'

/** This replica may be taken for dead by now. Closed: whatever it would do, another one may have given up already. */
export function leaseLost(): Problem {
  return new Problem(
    'store-unavailable',
    'This gateway lost touch with the audit store, so nothing was forwarded. Try again when it is back.',
  )
}

/**
 * Whether what was decided in this epoch may be sent still: somebody waits for it, and nobody else can have given it up. Throws the problem
 * `store-unavailable` when somebody can.
 */
export function stillValid({ lease }: GateContext, epoch: number, caller: AbortSignal): boolean {
  if (!lease.held(epoch)) throw leaseLost()
  return !caller.aborted
}
