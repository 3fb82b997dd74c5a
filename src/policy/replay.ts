import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import type { CompiledPolicies } from './compile.ts'
import { satisfied, type Condition } from './conditions/condition.ts'
import { decide } from './decide.ts'
import { Input, noFacts } from './input.ts'
import { modeOf, type Rule } from './rule.ts'

/**
 * Decides a recorded action by other policies. `missing` are the attributes that it had, or may
 * have had, and that are not on record, as rules name them (`action.http.json`, `impact.rows`).
 * `null` when the decision could be another one with them: nobody should be told what would happen
 * where that is not known.
 */
export function replay(
  action: Action,
  missing: readonly string[],
  policies: CompiledPolicies,
): Decision | null {
  const decision = decide(action, noFacts, policies)
  return missing.length === 0 || isCertain(decision, action, missing, policies) ? decision : null
}

/**
 * What is missing counts as unknown, which never allows and sets off every hold and deny rule: so
 * those that match in spite of it decide.
 */
function isCertain(
  { verdict, rules }: Decision,
  action: Action,
  missing: readonly string[],
  policies: CompiledPolicies,
): boolean {
  const all = policies.rulesFor(action.resource)?.all ?? []
  const blind = new Set(all.filter((rule) => missing.some((path) => readsIt(rule, path))))
  if (verdict === 'allow' || blind.size === 0) return true
  if (rules.length > 0) return all.some((rule) => rules.includes(rule.name) && !blind.has(rule))
  const input = new Input(action, noFacts)
  return ![...blind].some((rule) => rule.then === 'allow' && couldMatch(rule, input, missing))
}

function couldMatch(rule: Rule, input: Input, missing: readonly string[]): boolean {
  const known = rule.conditions.filter((one) => !missing.some((path) => testsIt(one, path)))
  if (!known.every((condition) => satisfied(condition.test(input), modeOf(rule.then)))) return false
  const { when } = rule
  // A condition that cannot be evaluated without it may be true with it.
  return when === null || missing.some((path) => looksAt(when, path)) || isTrue(when, input)
}

function isTrue(when: NonNullable<Rule['when']>, input: Input): boolean {
  try {
    return when.evaluate(input)
  } catch {
    // As in `evaluate`: such a rule allows nothing.
    return false
  }
}

function readsIt({ conditions, when }: Rule, path: string): boolean {
  return (when && looksAt(when, path)) || conditions.some((one) => testsIt(one, path))
}

const body = 'action.http.json'

function looksAt({ reads }: NonNullable<Rule['when']>, path: string): boolean {
  return reads.has(path) || (path.startsWith(`${body}.`) && reads.has(`${body}.*`))
}

/** Keys of a rule have names of their own (`what.sql.table`), but for the body. */
function testsIt({ key, members }: Condition, path: string): boolean {
  if (path === body) return key === 'what.http.json'
  if (path.startsWith(`${body}.`))
    return key === 'what.http.json' && (members?.includes(path.slice(body.length + 1)) ?? true)
  const [group, protocol] = path.split('.')
  return group === 'action' && key.startsWith(`what.${protocol}.`)
}
