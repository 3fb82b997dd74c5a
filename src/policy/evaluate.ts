import { satisfied } from './conditions/condition.ts'
import type { Input } from './input.ts'
import { modeOf, type Rule } from './rule.ts'

/**
 * `failed`: everything else matches, and the condition could not be evaluated. Only hold and deny
 * rules fail; they deny then.
 */
export type Evaluation = 'yes' | 'no' | 'failed'

/** Tests one rule in full. */
export function evaluate(rule: Rule, input: Input): Evaluation {
  const mode = modeOf(rule.then)
  for (const condition of rule.conditions) {
    if (!satisfied(condition.test(input), mode)) return 'no'
  }
  if (rule.when === null) return 'yes'
  try {
    return rule.when.evaluate(input) ? 'yes' : 'no'
  } catch {
    // Closed, whatever it was: missing, unknown or mistyped attributes never allow, and never let
    // an action past a hold or deny rule.
    return rule.then === 'allow' ? 'no' : 'failed'
  }
}
