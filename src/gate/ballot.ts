import type { VoteDecision } from '../approvals/approval.ts'
import type { Scope } from '../approvals/scope.ts'

/** What somebody decides, about exactly what they were shown. */
export interface Ballot {
  readonly approval: string
  readonly decision: VoteDecision
  /** What the voter was shown: both have to be what would run. */
  readonly digest: string
  readonly viewHash: string
  /** Breaking the glass takes one. */
  readonly reason: string | null
  /** At most what the rules offer. */
  readonly scope: Scope
  /** `console`, `api`, `cli`, `slack` … */
  readonly channel: string
}
