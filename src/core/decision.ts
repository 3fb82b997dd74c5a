import type { Party } from './subject.ts'

export type Verdict = 'allow' | 'deny' | 'hold'

export type Risk = 'low' | 'medium' | 'high' | 'critical'

/** Who is eligible to vote: members of the group, or exactly these people. */
export type Eligible = { readonly group: string } | { readonly people: readonly Party[] }

/** What an approver may grant. Everything wider than the one action is written in the rule. */
export type ScopeOption =
  | { readonly kind: 'once' }
  | { readonly kind: 'minutes'; readonly minutes: number; readonly match: readonly string[] }
  | { readonly kind: 'session'; readonly match: readonly string[] }

/** What one hold rule asks for. The requirements of every matching hold rule add up. */
export interface Requirement {
  readonly rule: string
  readonly from: Eligible
  /** Distinct people, at least 1. */
  readonly quorum: number
  /** Who may release it alone in an emergency, whatever the quorum; absent if nobody may. */
  readonly breakGlass?: Eligible
  /** Milliseconds from the request to its expiry. */
  readonly expiresMs: number
  readonly scope: readonly ScopeOption[]
  /** Where it is announced besides the console; if empty, where the configuration says. */
  readonly channels: readonly string[]
  /** Milliseconds before the expiry at which the same places are reminded. */
  readonly remindMs?: number
  /** Who else is told, if nobody has decided after so many milliseconds. */
  readonly escalate?: { readonly afterMs: number; readonly to: readonly string[] }
  readonly risk: Risk
}

/** The result of evaluating one action against one version of the policies. */
export interface Decision {
  readonly verdict: Verdict
  /** The rule's own reason code (`PII_EXPORT`), or one of `reasons.ts`. */
  readonly reason: string
  /** Names of the rules that this verdict rests on, sorted. */
  readonly rules: readonly string[]
  /** SHA-256 of the policies that decided, in hex. */
  readonly policy: string
  /** Empty unless the verdict is `hold`. */
  readonly requirements: readonly Requirement[]
}
