import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import { decisionReasons, type DecisionReason } from '../core/reasons.ts'
import type { GateContext } from './context.ts'
import { decided } from './events.ts'

/** Records a denial durably, and rejects with the problem `denied`. */
export async function deny(ctx: GateContext, action: Action, decision: Decision): Promise<never> {
  await ctx.audit.append(decided(action, decision))
  const { reason, rules, policy } = decision
  throw new Problem('denied', why(ctx, decision), { action: action.id, reason, rules, policy })
}

/** What would have to change, for reasons that no rule explains itself. */
const remedies: Partial<Record<DecisionReason, string>> = {
  'no-rule-matched': 'A rule would have to allow or hold this request of this subject.',
  'condition-failed': 'The condition of the rules named here has to be corrected.',
  'owner-unknown': 'The agent needs an owner: in its token, its delegation chain or its key.',
}

/**
 * Explains a denial to whoever reads the agent's log. Rules speak through their descriptions. Which
 * other rules nearly matched is for `policy explain`, not for the refused subject.
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
