import type { ApprovalState } from '../../../approvals/machine.ts'
import type { Risk } from '../../../core/decision.ts'
import { states } from '../text/words.ts'

export function RiskBadge({ risk }: { risk: Risk }) {
  return <span class={`badge risk-${risk}`}>{risk} risk</span>
}

export function StateBadge({ state }: { state: ApprovalState }) {
  const { word, tone } = states[state]
  return <span class={`badge tone-${tone}`}>{word}</span>
}
