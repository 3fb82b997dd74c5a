import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import { decisionReasons, type DecisionReason } from '../core/reasons.ts'
import type { GateContext } from './context.ts'
import { decided } from './events.ts'

/** What a refused caller can do about it, for the reasons that no rule explains. */
const remedies: Record<DecisionReason, string> = {
  'no-rule-matched': 'An allow or hold rule has to cover this resource, subject and request.',
  'rule-denied': 'The rules named here would have to change.',
  'condition-failed': 'The condition of a rule named here has to be corrected.',
  'owner-unknown': 'The agent needs an owner: in its token, in the delegation chain or in its key.',
  'rule-allowed': '',
  'rule-held': '',
}

/** Records the refusal, durably, and throws it. */
export async function deny(ctx: GateContext, action: Action, decision: Decision): Promise<never> {
  await ctx.audit.append(decided(action, decision))
  const { reason, rules, policy } = decision
  const known = reason in decisionReasons ? (reason as DecisionReason) : 'rule-denied'
  const because = rules.length > 0 ? ` Rules: ${rules.join(', ')}.` : ''
  throw new Problem('denied', `${decisionReasons[known]}${because} ${remedies[known]}`, {
    action: action.id,
    reason,
    rules,
    policy,
  })
}
