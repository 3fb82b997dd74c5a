import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import { decisionReasons, type DecisionReason } from '../core/reasons.ts'
import type { GateContext } from './context.ts'
import { decided } from './events.ts'

/** Records the refusal, durably, and throws it. */
export async function deny(ctx: GateContext, action: Action, decision: Decision): Promise<never> {
  await ctx.audit.append(decided(action, decision))
  const { reason, rules, policy } = decision
  throw new Problem('denied', why(ctx, decision), { action: action.id, reason, rules, policy })
}

/** What would have to change for it, where no rule says so itself. */
const remedies: Partial<Record<DecisionReason, string>> = {
  'no-rule-matched': 'A rule would have to allow or hold this request of this subject.',
  'condition-failed': 'The condition of the rules named here has to be corrected.',
  'owner-unknown': 'The agent needs an owner: in its token, its delegation chain or its key.',
}

/**
 * In words for whoever reads the agent's log. The rules speak for themselves, in their
 * descriptions; which others nearly matched is for `policy explain`, and not for a subject that was
 * refused.
 */
function why(ctx: GateContext, { reason, rules }: Decision): string {
  const known = reason in decisionReasons ? (reason as DecisionReason) : 'rule-denied'
  const remedy = remedies[known]
  if (remedy) return `${decisionReasons[known]} ${remedy}`
  const all = ctx.policies().rules
  return rules
    .map((name) => {
      const description = all.find((rule) => rule.name === name)?.description
      return `Rule ${name} denies this.${description ? ` ${description}` : ''}`
    })
    .join(' ')
}
