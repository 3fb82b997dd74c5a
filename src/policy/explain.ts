import type { Action } from '../core/action.ts'
import type { Verdict } from '../core/decision.ts'
import type { CompiledPolicies } from './compile.ts'
import { satisfied, type Condition, type Match } from './conditions/condition.ts'
import { decide } from './decide.ts'
import { evaluate } from './evaluate.ts'
import { whatWouldChange } from './explain-change.ts'
import type { ConditionExplanation, Explanation, RuleExplanation } from './explanation.ts'
import { Input, type Facts } from './input.ts'
import { modeOf, type Rule } from './rule.ts'

/**
 * Decides, and says why: what each rule about the resource wanted, what it found, and what would
 * have to change.
 */
export function explain(action: Action, facts: Facts, policies: CompiledPolicies): Explanation {
  const decision = decide(action, facts, policies)
  const input = new Input(action, facts)
  const rules = (policies.rulesFor(action.resource)?.all ?? [])
    .map((rule) => explainRule(rule, input))
    .toSorted((a, b) => distance(a) - distance(b))
  return { decision, rules, change: whatWouldChange(decision, rules) }
}

function explainRule(rule: Rule, input: Input): RuleExplanation {
  const { name, description, file, line, then, risk, reason } = rule
  const conditions = rule.conditions.map((condition) => explainCondition(rule, condition, input))
  return {
    rule: name,
    description,
    file,
    line,
    then,
    risk,
    reason,
    matches: evaluate(rule, input),
    conditions: rule.when ? [...conditions, explainWhen(rule, rule.when, input)] : conditions,
  }
}

function explainCondition(rule: Rule, condition: Condition, input: Input): ConditionExplanation {
  const match = condition.test(input)
  return {
    key: condition.key,
    satisfied: satisfied(match, modeOf(rule.then)),
    wants: condition.wants,
    found: `${condition.found(input)}${remark(match, rule.then)}`,
  }
}

function remark(match: Match, then: Verdict): string {
  if (match !== 'unknown') return ''
  return then === 'allow'
    ? ' (not comparable, so it is not allowed)'
    : ` (not comparable, so a ${then} rule takes it for the worst)`
}

function explainWhen(
  { then }: Rule,
  when: NonNullable<Rule['when']>,
  input: Input,
): ConditionExplanation {
  try {
    const result = when.evaluate(input)
    return { key: 'when', satisfied: result, wants: when.source, found: String(result) }
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n')
    const found = `could not be evaluated: ${why}`
    return { key: 'when', satisfied: then !== 'allow', wants: when.source, found }
  }
}

function distance({ matches, conditions }: RuleExplanation): number {
  return matches === 'no' ? conditions.filter((condition) => !condition.satisfied).length : 0
}
