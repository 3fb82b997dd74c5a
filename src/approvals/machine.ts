/**
 * The life of an approval, as a pure table. The database holds the same table in a trigger
 * (migrations/0005_approvals.sql), so that no path around this code can take an edge that is not
 * here; a test compares the two.
 */
export const edges = {
  pending: ['approved', 'denied', 'expired', 'cancelled', 'invalidated'],
  approved: ['dispatching', 'expired', 'cancelled', 'invalidated'],
  dispatching: ['succeeded', 'failed', 'unknown'],
  // For late evidence only: a fact is recorded, and nothing is sent.
  unknown: ['succeeded', 'failed'],
  succeeded: [],
  failed: [],
  denied: [],
  expired: [],
  cancelled: [],
  invalidated: [],
} as const satisfies Record<string, readonly string[]>

export type ApprovalState = keyof typeof edges

export const states = Object.keys(edges) as ApprovalState[]

/**
 * Whether an approval in this state can still lead to a run. The same action joins it then, instead
 * of asking again.
 */
export function isOpen(state: ApprovalState): boolean {
  return state === 'pending' || state === 'approved'
}

/** Whether the action has been sent, or may have been. */
export function hasRun(state: ApprovalState): boolean {
  return (
    state === 'dispatching' || state === 'succeeded' || state === 'failed' || state === 'unknown'
  )
}
