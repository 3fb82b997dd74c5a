import type { Action } from '../core/action.ts'
import type { Decision, Risk, Verdict } from '../core/decision.ts'
import { gatewayItself } from '../core/gateway-itself.ts'
import type { DecisionReason } from '../core/reasons.ts'
import { actingFor } from '../core/subject.ts'
import type { CompiledPolicies } from './compile.ts'
import { evaluate } from './evaluate.ts'
import { Input, type Facts } from './input.ts'
import type { RuleIndex } from './rule-index.ts'
import type { Rule } from './rule.ts'

/**
 * Decides one action: deny beats hold beats allow, and what no rule covers is denied, but for what
 * is done to the gateway itself. Pure: the same action, facts and policies give the same decision.
 */
export function decide(action: Action, facts: Facts, policies: CompiledPolicies): Decision {
  const policy = policies.hash
  const rules = policies.rulesFor(action.resource)
  if (!rules) return withoutRule(action, policy)
  const input = new Input(action, facts)

  const restricting = matching(rules.restricting, input)
  if (restricting.length > 0) {
    const denying = restricting.filter(({ failed, rule }) => failed || rule.then === 'deny')
    if (denying.length > 0) return conclude('deny', denying, policy)
    // Closed: nobody can be ruled out as the approver of their own action.
    if (action.subject.kind !== 'human' && actingFor(action.subject) === null) {
      return denied(restricting, 'owner-unknown', policy)
    }
    return conclude('hold', restricting, policy)
  }

  const allowing = matching(rules.allowing, input)
  if (allowing.length > 0) return conclude('allow', allowing, policy)
  return withoutRule(action, policy)
}

/** Of what is done to the gateway itself roles have decided before: rules only ask for more. */
function withoutRule({ resource }: Action, policy: string): Decision {
  if (resource !== gatewayItself) return denied([], 'no-rule-matched', policy)
  const reason: DecisionReason = 'role-allowed'
  return { verdict: 'allow', reason, rules: [], policy, requirements: [] }
}

/**
 * A rule that a decision rests on. `failed`: its condition could not be evaluated, which denies.
 */
interface Matched {
  readonly rule: Rule
  readonly failed: boolean
}

function matching(index: RuleIndex, input: Input): readonly Matched[] {
  const candidates: Rule[] = []
  index.collect(input, candidates)
  const matched: Matched[] = []
  for (const rule of candidates) {
    if (matched.some((earlier) => earlier.rule === rule)) continue
    const result = evaluate(rule, input)
    if (result !== 'no') matched.push({ rule, failed: result === 'failed' })
  }
  return matched.length < 2
    ? matched
    : matched.toSorted((a, b) => (a.rule.name < b.rule.name ? -1 : 1))
}

function conclude(verdict: Verdict, matched: readonly Matched[], policy: string): Decision {
  return {
    verdict,
    reason: reasonOf(matched),
    rules: namesOf(matched),
    policy,
    requirements: verdict === 'hold' ? matched.flatMap(({ rule }) => rule.requirement ?? []) : [],
  }
}

function denied(matched: readonly Matched[], reason: DecisionReason, policy: string): Decision {
  return { verdict: 'deny', reason, rules: namesOf(matched), policy, requirements: [] }
}

function namesOf(matched: readonly Matched[]): readonly string[] {
  return matched.map(({ rule }) => rule.name)
}

const severity: Record<Risk, number> = { low: 0, medium: 1, high: 2, critical: 3 }

/** Of the riskiest rule, and of several such the first by name. */
function reasonOf(matched: readonly Matched[]): string {
  const worst = matched.reduce((a, b) => (severity[b.rule.risk] > severity[a.rule.risk] ? b : a))
  const failure: DecisionReason = 'condition-failed'
  return worst.failed ? failure : worst.rule.reason
}
