import type { VoteDecision } from '../approvals/approval.ts'
import type { Scope } from '../approvals/scope.ts'

/** A person's decision about exactly what they were shown. */
export interface Ballot {
  readonly approval: string
  readonly decision: VoteDecision
  /** What the voter was shown. Both have to match what would run. */
  readonly digest: string
  readonly viewHash: string
  /** Required for breaking the glass. */
  readonly reason: string | null
  /** What the voter grants: at most what the rules offer. */
  readonly scope: Scope
  /** `console`, `api`, `cli`, `slack` … */
  readonly channel: string
}
