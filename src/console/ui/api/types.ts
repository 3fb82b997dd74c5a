import type { VoteDecision } from '../../../approvals/approval.ts'
import type { ApprovalState } from '../../../approvals/machine.ts'
import type { Effect } from '../../../core/action.ts'
import type { Eligible, Risk } from '../../../core/decision.ts'
import type { Outcome } from '../../../core/event.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Role } from '../../../core/person.ts'
import type { Owner, Party, SubjectKind } from '../../../core/subject.ts'

/** `GET /api/me`. */
export interface Me {
  readonly person: Party & {
    readonly name: string
    readonly email: string | null
    readonly groups: readonly string[]
  }
  readonly roles: readonly Role[]
  readonly csrf_token: string
}

export interface ShownSubject extends Party {
  readonly kind: SubjectKind
  readonly groups: readonly string[]
  readonly owner: Owner | null
  readonly chain: readonly Party[]
}

export interface ShownVote extends Party {
  readonly name: string
  readonly decision: VoteDecision
  readonly reason: string | null
  readonly channel: string
  readonly at: string
}

export interface ShownRequirement {
  readonly rule: string
  readonly from: Eligible
  readonly quorum: number
  readonly votes: readonly ShownVote[]
}

/** `once`, or for some minutes whatever has the same values in `match` (nothing listed: the same digest). */
export type ScopeOption = 'once' | { readonly minutes: number; readonly match: readonly string[] }

/** An approval, as the gate shows it (gate/view.ts). */
export interface Approval {
  readonly id: string
  readonly state: ApprovalState
  readonly action: {
    readonly id: string
    readonly name: string
    readonly subject: ShownSubject
    readonly resource: string
    readonly effect: Effect
    readonly attributes: JsonObject
    readonly summary: string
    readonly payload: JsonObject
    readonly digest: string
  }
  readonly rules: readonly string[]
  readonly policy: string
  readonly risk: Risk
  readonly reason: string
  readonly agent_reason: string | null
  readonly ran_before: { readonly id: string; readonly state: ApprovalState } | null
  readonly scope_options: readonly ScopeOption[]
  /** Who may release it alone in an emergency: whoever is in all of these. Empty if nobody may. */
  readonly break_glass: readonly Eligible[]
  readonly requirements: readonly ShownRequirement[]
  /** Who did. */
  readonly broken_glass: ShownVote | null
  readonly view_hash: string
  readonly created_at: string
  readonly expires_at: string
  readonly resolved_at: string | null
  readonly resolution: { readonly by: Party | null; readonly reason: string | null } | null
  readonly outcome: Outcome | null
}
