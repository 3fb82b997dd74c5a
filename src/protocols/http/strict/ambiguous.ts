import { Problem } from '../../../core/errors.ts'

/**
 * The problem for a request that two parties may read differently. Closed: the policy might have
 * decided about the other reading.
 */
export function ambiguous(detail: string): Problem {
  return new Problem('ambiguous-request', detail)
}
