import type { Decision, Risk, Verdict } from '../core/decision.ts'
import type { Evaluation } from './evaluate.ts'

/** Why a decision came out as it did. Plain data: it is shown, sent and stored as JSON. */
export interface Explanation {
  readonly decision: Decision
  /** Every rule about the resource: those that match first, then those that nearly did. */
  readonly rules: readonly RuleExplanation[]
  /** What would have to be otherwise, in sentences. Empty when it is allowed. */
  readonly change: readonly string[]
}

export interface RuleExplanation {
  readonly rule: string
  readonly description: string | null
  readonly file: string
  readonly line: number
  readonly then: Verdict
  readonly risk: Risk
  readonly reason: string
  readonly matches: Evaluation
  readonly conditions: readonly ConditionExplanation[]
}

export interface ConditionExplanation {
  /** The key of the rule: `who.group`, or `when`. */
  readonly key: string
  /** Whether it lets the rule match. */
  readonly satisfied: boolean
  /** What the rule wants. */
  readonly wants: string
  /** What the action has instead, or why that is not known. */
  readonly found: string
}
