import type { Approval, Vote } from '../approvals/approval.ts'
import { exclusionOf, isExcluded } from '../approvals/exclusion.ts'
import { insertGrant } from '../approvals/grants.ts'
import { approversIn, isEligible, quorumMet } from '../approvals/quorum.ts'
import { grantedMinutes, matchedValues, offeredScope, type Scope } from '../approvals/scope.ts'
import {
  getApproval,
  insertVote,
  isExcludedByStore,
  lockApproval,
  votesOf,
} from '../approvals/store.ts'
import { Problem } from '../core/errors.ts'
import type { EventInput } from '../core/event.ts'
import type { JsonObject } from '../core/json.ts'
import type { Person } from '../core/person.ts'
import { subjectOfPerson } from '../identity/people.ts'
import { asProblem, commit, type Step } from './commit.ts'
import type { GateContext } from './context.ts'
import { alreadyResolved, expire, resolveByVote } from './settle.ts'
import { approvalView } from './view.ts'

export interface Ballot {
  readonly approval: string
  readonly decision: 'approve' | 'deny'
  /** What the voter was shown: both have to be what would run. */
  readonly digest: string
  readonly viewHash: string
  readonly reason: string | null
  /** At most what the rules offer. */
  readonly scope: Scope
  /** `console`, `api`, `cli`, `slack` … */
  readonly channel: string
}

/**
 * One person's vote, through whichever channel. Everything is checked under the approval's lock, in the transaction that takes the edge. Throws `self-approval`,
 * `not-eligible`, `already-resolved` (which names the winner), `view-changed` or `not-found`; a refused vote is on record too.
 */
export async function castVote(
  ctx: GateContext,
  person: Person,
  ballot: Ballot,
): Promise<JsonObject> {
  const refused = await commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, ballot.approval)
    if (!locked) throw new Problem('not-found', `There is no approval ${ballot.approval}.`)
    const { now } = locked
    let { approval } = locked
    if (approval.state === 'pending' && approval.expiresAt <= now) {
      approval = await expire(step, approval)
    }
    const excluded = await isExcludedByStore(step.tx, approval.id, person)
    const problem = excluded ? selfApproval() : objection(person, ballot, approval)
    if (!problem) return count(step, approval, person, ballot)
    await step.record(voteEvent('approval.vote_refused', approval, person, ballot, problem))
    return problem
  })
  if (refused) throw refused
  try {
    const approval = await getApproval(ctx.store, ballot.approval)
    const votes = await votesOf(ctx.store, [ballot.approval])
    return approvalView(approval!, votes.get(ballot.approval)!)
  } catch (error) {
    throw asProblem(error)
  }
}

/** Why this vote does not count. Who may never vote on it comes first: that answer must not depend on the state. */
function objection(person: Person, ballot: Ballot, approval: Approval): Problem | undefined {
  if (isExcluded(person, exclusionOf(approval.action.subject))) return selfApproval()
  const { requirements } = approval.decision
  if (!requirements.some(({ from }) => isEligible(person, from))) {
    const wanted = requirements.map(({ from }) => ('group' in from ? from.group : 'named people'))
    return new Problem(
      'not-eligible',
      `This approval is for ${[...new Set(wanted)].join(' and ')}.`,
    )
  }
  if (approval.state !== 'pending') return alreadyResolved(approval)
  if (ballot.digest !== approval.digest || ballot.viewHash !== approval.viewHash) {
    return new Problem('view-changed', 'What you saw is not what would run. Look at it again.')
  }
  return scopeProblem(ballot.scope, approval)
}

function selfApproval(): Problem {
  return new Problem(
    'self-approval',
    'You asked for this action, acted in it, or own the agent that did. Somebody else has to decide.',
  )
}

async function count(
  step: Step,
  approval: Approval,
  person: Person,
  ballot: Ballot,
): Promise<Problem | undefined> {
  const { decision, reason, scope, viewHash, channel } = ballot
  const { issuer, subject } = person
  const vote = { issuer, subject, decision, reason, scope, viewHash, channel }
  if (!(await insertVote(step.tx, approval.id, vote))) {
    return new Problem(
      'already-resolved',
      'You have voted on this already; every person counts once.',
    )
  }
  await step.record(voteEvent('approval.voted', approval, person, ballot))
  step.changed(approval.id)

  const resolution = { by: { issuer, subject }, reason }
  if (decision === 'deny') {
    await resolveByVote(step, approval, 'denied', resolution)
    return undefined
  }
  const votes = (await votesOf(step.tx, [approval.id])).get(approval.id)!
  if (quorumMet(approval.decision.requirements, approversIn(votes))) {
    await resolveByVote(step, approval, 'approved', resolution)
    await grantBeyondOnce(step, approval, votes)
  }
  return undefined
}

/** Where all approvers granted more than one run, and the rules still call something alike, that is written down. */
async function grantBeyondOnce(
  { tx, record }: Step,
  approval: Approval,
  votes: readonly Vote[],
): Promise<void> {
  const { id, action, decision, digest, subjectKey, resource, binding } = approval
  const minutes = grantedMinutes(votes.map(({ scope }) => scope))
  const offered = offeredScope(decision.requirements)
  if (minutes === null || !offered) return
  const match = offered.match.length > 0 ? matchedValues(action, offered.match) : null
  if (offered.match.length > 0 && match === null) return
  const rules = decision.requirements.map(({ rule }) => rule)
  const grant = { approval: id, subjectKey, resource, binding, rules, match }
  await insertGrant(tx, { ...grant, digest: match ? null : digest }, minutes)
  await record({
    type: 'approval.granted',
    subject: action.subject,
    resource,
    approval: id,
    rules,
    details: { minutes, match: offered.match },
  })
}

function scopeProblem(scope: Scope, approval: Approval): Problem | undefined {
  if (scope === 'once') return undefined
  const offered = offeredScope(approval.decision.requirements)
  if (offered && scope.minutes <= offered.minutes) return undefined
  const most = offered ? ` for more than ${offered.minutes} minutes` : ' more than once'
  return new Problem('bad-request', `The rules do not let anybody approve this${most}.`)
}

function voteEvent(
  type: 'approval.voted' | 'approval.vote_refused',
  approval: Approval,
  person: Person,
  { decision, reason, channel }: Ballot,
  refused?: Problem,
): EventInput {
  return {
    type,
    subject: subjectOfPerson(person),
    action: { id: approval.action.id, name: approval.action.name },
    resource: approval.resource,
    digest: approval.digest,
    approval: approval.id,
    details: { vote: decision, channel, ...(reason !== null && { reason }) },
    ...(refused && { reason: refused.code }),
  }
}
