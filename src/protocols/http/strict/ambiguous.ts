import { Problem } from '../../../core/errors.ts'

/**
 * A request that two parties may read in two ways. Closed: the policy might have decided about the
 * other reading.
 */
export function ambiguous(detail: string): Problem {
  return new Problem('ambiguous-request', detail)
}
