import type { Approval, Vote } from '../../approvals/approval.ts'
import { breakGlassOf } from '../../approvals/break-glass.ts'
import type { ApprovalState } from '../../approvals/machine.ts'
import type { Claimed, Purpose } from '../../approvals/outbox.ts'
import { isEligible } from '../../approvals/quorum.ts'
import { matchedValues, offeredScopes, type Extended, type Scope } from '../../approvals/scope.ts'
import type { Action } from '../../core/action.ts'
import type { Eligible, Risk } from '../../core/decision.ts'
import type { JsonObject } from '../../core/json.ts'
import { actingFor, type Owner } from '../../core/subject.ts'
import { visible, visibleLines } from '../../core/visible.ts'
import { payloadText, type Part } from './payload-text.ts'
import { approvalView, highestRisk } from '../view.ts'

/** What a channel is to show, and where. */
export interface Notice {
  /** The same for every attempt to deliver it, and for everything newer about the same approval in the same place. */
  readonly id: string
  /** Higher whenever there is something new to show. */
  readonly version: number
  readonly purpose: Purpose
  /** The place in the channel; empty where there is only one. */
  readonly target: string
  /** What the channel said the last time: where the message is. `null`: none is known of, and one is to be posted. */
  readonly receipt: JsonObject | null
  /** Of a reminder: where the same place was told first. */
  readonly announced: JsonObject | null
  /** The approval's page in the console. */
  readonly link: string
  readonly story: Story
  /** The approval in the shape of the API: for programs. Nothing in it is made visible. */
  readonly approval: JsonObject
}

/**
 * Everything that an approver is to see, in words. Every text that anybody outside of the gateway can have written has been made visible, and is data: a channel must show it where
 * its own mark-up, mentions and links are not looked for.
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
  /** What it would do, as far as was found out beforehand: `rows 120`; `null` if nothing was. */
  readonly impact: string | null
  /** Which data sets it touches, and what for the first time; `null` if none. */
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
  /** A vote names both. */
  readonly digest: string
  readonly viewHash: string
  /** Who decided, how and why, in one sentence; `null` while nobody has. */
  readonly verdict: string | null
  /** What became of the run, in a few words; `null` before it has ended. */
  readonly outcome: string | null
}

/** Something that may be granted beyond one run, by a vote with this scope. */
export interface Grantable {
  readonly scope: Exclude<Scope, 'once'>
  /** What its button says. */
  readonly label: string
  /** What it means, in a sentence. */
  readonly words: string
}

/** One thing that has to be met. */
export interface Need {
  readonly from: string
  readonly quorum: number
  /** Those who have approved so far. */
  readonly approvedBy: readonly string[]
}

/** `consoleUrl`: where people reach the console, without a slash at the end. */
export function noticeOf(
  row: Pick<Claimed, 'id' | 'wanted' | 'purpose' | 'target' | 'receipt' | 'announced'>,
  approval: Approval,
  votes: readonly Vote[],
  consoleUrl: string,
): Notice {
  const { id, wanted, purpose, target, receipt, announced } = row
  return {
    id,
    version: wanted,
    purpose,
    target,
    receipt,
    announced,
    link: `${consoleUrl}/#/approvals/${approval.id}`,
    story: storyOf(approval, votes),
    approval: approvalView(approval, votes),
  }
}

function storyOf(approval: Approval, votes: readonly Vote[]): Story {
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

/** The number that was counted, else the one that was estimated, else that nobody knows. */
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

/** With the values that would have to be the same: nobody grants what they were not told. Where one is unknown, nothing can be granted. */
function grantsOf({ action, decision, connection }: Approval): Grantable[] {
  return offeredScopes(decision.requirements, connection !== null).flatMap((offer) => {
    const values = matchedValues(action, offer.match)
    if (values === null) return []
    const same = Object.entries(values).map(([path, value]) => `${path} ${JSON.stringify(value)}`)
    const what =
      same.length === 0 ? 'exactly this request' : `every request with the same ${same.join(', ')}`
    return [grantable(action, offer, what)]
  })
}

function grantable(action: Action, { session, minutes }: Extended, what: string): Grantable {
  const duration = durationWords(minutes)
  if (!session) {
    const words = `For ${duration} the agent may run, without asking again, ${what}.`
    return { scope: { minutes }, label: `Approve for ${duration}`, words: visible(words) }
  }
  const until = `Until this session of ${action.subject.subject} with ${action.resource} ends, and for ${duration} at most,`
  const words = `${until} the agent may run in it, without asking again, ${what}.`
  return { scope: { session }, label: 'Approve for this session', words: visible(words) }
}

/** Minutes, in words; whole hours as hours. */
export const durationWords = (minutes: number): string =>
  minutes > 60 && minutes % 60 === 0 ? counted(minutes / 60, 'hour') : counted(minutes, 'minute')

const counted = (count: number, unit: string): string =>
  `${count} ${count === 1 ? unit : `${unit}s`}`

function verdictOf({ state, resolution }: Approval, votes: readonly Vote[]): string | null {
  const reason = resolution?.reason ? `: ${visible(resolution.reason)}` : ''
  switch (state) {
    case 'pending':
      return null
    case 'denied':
      return `Denied by ${namesOf(votes, 'deny')}${reason}`
    case 'expired':
      return 'Expired: nobody decided in time'
    case 'cancelled':
      return `Cancelled by ${visible(resolution?.by?.subject ?? 'the gateway')}${reason}`
    case 'invalidated':
      return `No longer valid${reason}`
    default: {
      const alone = votes.some(({ decision }) => decision === 'break_glass')
      return alone
        ? `Released alone, in an emergency, by ${namesOf(votes, 'break_glass')}${reason}`
        : `Approved by ${namesOf(votes, 'approve')}`
    }
  }
}

function namesOf(votes: readonly Vote[], decision: Vote['decision']): string {
  return visible(
    votes
      .filter((vote) => vote.decision === decision)
      .map(({ name }) => name)
      .join(', '),
  )
}

function outcomeOf({ state, outcome }: Approval): string | null {
  switch (state) {
    case 'succeeded':
    case 'failed': {
      const status = outcome?.status === undefined ? '' : `, status ${outcome.status}`
      const error = outcome?.error === undefined ? '' : `, ${outcome.error}`
      return `The run ${state}${status}${error}`
    }
    case 'unknown':
      return 'Nobody knows what became of the run: it may have had its effect'
    default:
      return null
  }
}
