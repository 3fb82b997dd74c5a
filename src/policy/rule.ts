import type { Requirement, Risk, Verdict } from '../core/decision.ts'
import type { Expression } from './cel/expression.ts'
import type { Condition, Mode } from './conditions/condition.ts'

/** A rule, checked and ready to be tested. */
export interface Rule {
  readonly name: string
  readonly description: string | null
  readonly file: string
  readonly line: number
  /** The names of the resources that it is about, globs resolved. */
  readonly resources: readonly string[]
  readonly then: Verdict
  readonly risk: Risk
  /** The reason code of a decision that rests on it. */
  readonly reason: string
  readonly conditions: readonly Condition[]
  readonly when: Expression | null
  /** Of a hold rule; `null` for the others. */
  readonly requirement: Requirement | null
}

/** Allow rules have to cover an action; the others are set off by it. */
export function modeOf(then: Verdict): Mode {
  return then === 'allow' ? 'everything' : 'anything'
}
