import type { Approval, Vote } from '../../approvals/approval.ts'
import { breakGlassOf } from '../../approvals/break-glass.ts'
import type { ApprovalState } from '../../approvals/machine.ts'
import { isEligible } from '../../approvals/quorum.ts'
import type { Action } from '../../core/action.ts'
import type { Eligible, Risk } from '../../core/decision.ts'
import { actingFor, type Owner } from '../../core/subject.ts'
import { visible, visibleLines } from '../../core/visible.ts'
import { highestRisk } from '../view.ts'
import { grantsOf, type Grantable } from './grant-words.ts'
import { payloadText, type Part } from './payload-text.ts'
import { outcomeOf, verdictOf } from './result-words.ts'

/**
 * Everything that an approver has to see, in words. Every text that somebody outside the gateway
 * may have written has been made visible and is data: a channel must show it where it does not
 * interpret mark-up, mentions or links.
 */
export interface Story {
  readonly id: string
  readonly state: ApprovalState
  readonly summary: string
  readonly agent: string
  /** Person, agents and resource, in the order in which the action came about. */
  readonly chain: readonly string[]
  readonly resource: string
  readonly effect: string
  readonly rules: readonly string[]
  readonly reason: string
  readonly risk: Risk
  /** The agent's own claim, or `null`. */
  readonly agentReason: string | null
  /**
   * How many rows it would touch, as far as that was found out beforehand; `null` if it was not
   * asked.
   */
  readonly impact: string | null
  /** Which data sets it touches, and which for the first time; `null` if none. */
  readonly data: string | null
  /** How the same action ended when it ran before, or `null`. */
  readonly ranBefore: ApprovalState | null
  readonly needs: readonly Need[]
  /** The whole action. */
  readonly parts: readonly Part[]
  /** What may be granted beyond one run. */
  readonly grants: readonly Grantable[]
  readonly breakGlass: boolean
  readonly createdAt: Date
  readonly expiresAt: Date
  /** A vote has to name both hashes. */
  readonly digest: string
  readonly viewHash: string
  /** Who decided, how and why, in one sentence; `null` while nobody has. */
  readonly verdict: string | null
  /** What became of the run, in a few words; `null` before it has ended. */
  readonly outcome: string | null
}

/** One requirement, and how far it is met. */
export interface Need {
  readonly from: string
  readonly quorum: number
  /** Those who have approved so far. */
  readonly approvedBy: readonly string[]
}

export function storyOf(approval: Approval, votes: readonly Vote[]): Story {
  const { action, decision } = approval
  const { subject } = action
  const person = actingFor(subject)
  const actors = [subject, ...subject.chain].map((party) => party.subject)
  const chain = [...(person ? [ownerName(person)] : []), ...actors.toReversed(), action.resource]
  return {
    id: approval.id,
    state: approval.state,
    summary: visible(action.summary),
    agent: visible(subject.chain[0]?.subject ?? subject.subject),
    chain: withoutRepeats(chain).map(visible),
    resource: action.resource,
    effect: action.effect,
    rules: decision.rules,
    reason: visible(decision.reason),
    risk: highestRisk(decision.requirements),
    agentReason: action.agentReason === null ? null : visible(action.agentReason),
    impact: impactOf(action),
    data: dataOf(action),
    ranBefore: approval.ranBefore?.state ?? null,
    needs: decision.requirements.map(({ from, quorum }) => ({
      from: eligibleWords(from),
      quorum,
      approvedBy: votes
        .filter((vote) => vote.decision === 'approve' && isEligible(vote, from))
        .map(({ name }) => visible(name)),
    })),
    parts: payloadText(approval.payload).map(({ label, text }) => ({
      label: visible(label),
      text: visibleLines(text).join('\n'),
    })),
    grants: grantsOf(approval),
    breakGlass: breakGlassOf(decision.requirements).length > 0,
    createdAt: approval.createdAt,
    expiresAt: approval.expiresAt,
    digest: approval.digest,
    viewHash: approval.viewHash,
    verdict: verdictOf(approval, votes),
    outcome: outcomeOf(approval),
  }
}

/** The counted number of rows if there is one, otherwise the estimate, otherwise `unknown`. */
function impactOf({ attributes }: Action): string | null {
  const { impact } = attributes
  if (!impact) return null
  const { rows, exact_rows: exact } = impact
  if (typeof exact === 'number') return `${exact} rows, counted by a run that was rolled back`
  if (typeof rows === 'number') return `about ${rows} rows, as the database estimates`
  return 'unknown'
}

function dataOf({ data, attributes }: Action): string | null {
  const { datasets = [], classes = [] } = data ?? {}
  const first = attributes['usage']?.['first']
  const words = [
    ...(datasets.length > 0 ? [datasets.join(', ')] : []),
    ...(classes.length > 0 ? [`of the class ${classes.join(', ')}`] : []),
    ...(Array.isArray(first) ? [`for the first time: ${first.join(', ')}`] : []),
  ]
  return words.length > 0 ? visible(words.join('; ')) : null
}

function withoutRepeats(names: readonly string[]): string[] {
  return names.filter((name, index) => name !== names[index - 1])
}

const ownerName = (owner: Owner): string =>
  'group' in owner ? `group ${owner.group}` : owner.subject

function eligibleWords(from: Eligible): string {
  return visible(
    'group' in from ? from.group : from.people.map(({ subject }) => subject).join(', '),
  )
}
