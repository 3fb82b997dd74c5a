import type { QueryName } from '../../../audit/evidence/queries.ts'
import type { VoteDecision } from '../../../approvals/approval.ts'
import type { ApprovalState } from '../../../approvals/machine.ts'
import type { Effect } from '../../../core/action.ts'
import type { Eligible, Risk, Verdict } from '../../../core/decision.ts'
import type { Outcome } from '../../../core/event.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Role } from '../../../core/person.ts'
import type { KeyScope } from '../../../identity/agent-key.ts'
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
  readonly session: { readonly expires_at: string } | null
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

/**
 * `once`; or for so many minutes at most, and with `session` only on the connection that asks,
 * whatever has the same values in `match` (nothing listed: the same digest).
 */
export type ScopeOption =
  | 'once'
  | {
      readonly session?: true
      readonly minutes: number
      readonly match: readonly string[]
    }

/** A number that the gateway found out, or why it could not. */
export type Counted = number | { readonly unknown: string }

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
  /** How many rows it would touch, where that was found out. */
  readonly impact: { readonly rows: Counted; readonly exact_rows?: Counted } | null
  readonly ran_before: { readonly id: string; readonly state: ApprovalState } | null
  /** Absent in what was asked before data sets were known. */
  readonly data?: {
    readonly datasets: readonly string[]
    readonly classes: readonly string[]
  } | null
  /** What its subject never touched before: `table public.orders`. */
  readonly first_use?: readonly string[]
  /** What its subject did before, as far as rules asked: `rows customers 24h`. */
  readonly usage?: JsonObject | null
  readonly scope_options: readonly ScopeOption[]
  /** Who may release it alone in an emergency: whoever is in all of these. Empty if nobody may. */
  readonly break_glass: readonly Eligible[]
  readonly requirements: readonly ShownRequirement[]
  /** Who did. */
  readonly broken_glass: ShownVote | null
  readonly view_hash: string
  /** W3C trace id of the run that it belongs to. */
  readonly trace: string | null
  readonly created_at: string
  readonly expires_at: string
  readonly resolved_at: string | null
  readonly resolution: { readonly by: Party | null; readonly reason: string | null } | null
  readonly outcome: Outcome | null
}

/** An event of the audit log (audit/exported.ts). Only what an event is about is in it. */
export interface AuditEvent {
  readonly id: string
  readonly time: string
  readonly type: string
  readonly action?: { readonly id: string; readonly name: string }
  readonly subject?: Party & {
    readonly kind: SubjectKind
    readonly owner: Owner | null
    readonly chain: readonly Party[]
  }
  readonly resource?: string
  readonly effect?: Effect
  readonly attributes?: JsonObject
  readonly details?: JsonObject
  readonly digest?: string
  readonly decision?: Verdict
  readonly enforced?: false
  readonly reason?: string
  readonly rules?: readonly string[]
  readonly policy?: string
  readonly approval?: string
  readonly outcome?: Outcome
  readonly usage?: {
    readonly datasets?: readonly string[]
    readonly classes?: readonly string[]
    readonly tables?: readonly string[]
    readonly columns?: readonly string[]
    readonly model?: string
    readonly tokens_in?: number
    readonly tokens_out?: number
    readonly tokens_cached?: number
    readonly unread?: string
  }
  readonly trace?: string
  readonly source?: { readonly replica: string; readonly epoch: number }
  readonly hash?: string
}

/** `GET /api/audit/events`. */
export interface EventPage {
  readonly events: readonly AuditEvent[]
  readonly cursor: string | null
}

/** One name in one stretch of time, of `GET /api/usage`. */
export interface ShownUsage {
  readonly at: string
  /** `null`: all others together. */
  readonly name: string | null
  readonly actions: number
  readonly denied: number
  readonly held: number
  readonly runs: number
  readonly rows: number
  readonly bytes: number
  readonly tokens_in: number
  readonly tokens_out: number
  readonly tokens_cached: number
}

export type UsageDimension = 'subject' | 'resource' | 'dataset' | 'class' | 'model'

/** Something that a subject touched for the first time, of `GET /api/usage/first`. */
export interface FirstUse {
  readonly at: string
  readonly subject: string
  readonly resource: string
  readonly item: string
  readonly action: string
}

export interface UsageReport {
  readonly by: UsageDimension
  readonly from: string
  readonly to: string
  readonly step_seconds: number
  readonly counted_until: string | null
  readonly usage: readonly ShownUsage[]
}

/** An agent key, without its secret. */
export interface ShownKey {
  readonly id: string
  readonly name: string
  readonly kind: 'agent' | 'service'
  readonly groups: readonly string[]
  readonly scopes: readonly KeyScope[]
  readonly owner: Owner
  readonly created_by: Party
  readonly created_at: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
  readonly last_used_at: string | null
}

/** An account in a chat that is this person's. */
export interface ShownLink {
  readonly channel: string
  readonly tenant: string
  readonly member: string
  readonly name: string
}

/** `GET /api/channels`. */
export interface ShownChannel {
  readonly name: string
  readonly waiting: number
  readonly oldest: string | null
  readonly last_success: string | null
  readonly last_failure: string | null
  readonly last_error: string | null
}

/** `GET /api/policies`. */
export interface ShownPolicies {
  readonly hash: string
  /** How often others came into force. */
  readonly generation: number
  readonly documents: readonly { readonly file: string; readonly text: string }[]
  readonly observed: readonly string[]
}

/** `GET /api/policies/tests`. */
export interface ShownTests {
  readonly results: readonly ShownTest[]
  /** Why they could not be run. */
  readonly mistakes: readonly { readonly file: string; readonly message: string }[]
}

export interface ShownTest {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly passed: boolean
  readonly differences: readonly string[]
}

/** `POST /api/policies/explain` (policy/explanation.ts). */
export interface ShownExplanation {
  readonly decision: {
    readonly verdict: Verdict
    readonly reason: string
    readonly rules: readonly string[]
  }
  readonly rules: readonly {
    readonly rule: string
    readonly description: string | null
    readonly file: string
    readonly line: number
    readonly then: Verdict
    readonly matches: 'yes' | 'no' | 'failed'
    readonly conditions: readonly {
      readonly key: string
      readonly satisfied: boolean
      readonly wants: string
      readonly found: string
    }[]
  }[]
  readonly change: readonly string[]
}

/** The answer where a rule holds what was asked for: it is done once this approval is given. */
export interface WaitingForPeople {
  readonly approval: string
  readonly expires_at: string
}

/** An action that would have been decided otherwise (gate/replay.ts). */
export interface ShownDifference {
  readonly time: string
  readonly action: string
  readonly resource: string
  readonly subject: string
  readonly summary: string
  readonly before: {
    readonly verdict: Verdict
    readonly reason: string
    readonly rules: readonly string[]
    readonly explanation: ShownExplanation | null
  }
  readonly after: ShownExplanation
}

export interface ShownReplaySummary {
  readonly actions: number
  readonly same: number
  readonly different: number
  readonly erased: number
  readonly unrecorded: number
  readonly unreadable: number
  readonly by_other_rules: number
  readonly changes: readonly {
    readonly resource: string
    readonly from: Verdict
    readonly to: Verdict
    readonly rule: string | null
    readonly actions: number
  }[]
}

/** A line of `POST /api/policies/replay`, and of `GET /api/approvals/{id}/replay`. */
export type ReplayLine =
  | { readonly difference: ShownDifference }
  | { readonly progress: number }
  | { readonly summary: ShownReplaySummary }

export type FrameworkName = 'soc2' | 'fedramp'

export interface ShownAnswer {
  readonly title: string
  readonly count: number
  readonly groups: readonly { readonly name: string; readonly count: number }[]
  readonly samples: readonly {
    readonly id: string
    readonly time: string
    readonly type: string
    readonly action: string | null
    readonly approval: string | null
    readonly who: string | null
    readonly what: string
  }[]
}

/** What the log says to the controls of a framework (audit/evidence/report.ts). */
export interface ShownEvidence {
  readonly framework: FrameworkName
  readonly title: string
  readonly made: string
  readonly span: { readonly from: string; readonly to: string }
  readonly checkpoint: string
  readonly keys: readonly string[]
  readonly verified: {
    readonly ok: boolean
    readonly lines: number
    readonly erased: number
    readonly retained: number
    readonly signed: { readonly size: number; readonly time: string | null } | null
    readonly findings: readonly {
      readonly kind: string
      readonly line: number
      readonly message: string
    }[]
  }
  readonly controls: readonly {
    readonly id: string
    readonly title: string
    readonly supports: string
    readonly shows: readonly QueryName[]
    readonly elsewhere: string
  }[]
  readonly answers: Readonly<Record<QueryName, ShownAnswer>>
}

/** A line of `GET /api/audit/evidence/report`. */
export type EvidenceLine = { readonly progress: number } | { readonly report: ShownEvidence }
