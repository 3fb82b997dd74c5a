import type { Approval, Vote } from '../approvals/approval.ts'
import { insertGrant } from '../approvals/grants.ts'
import { hastenNotices } from '../approvals/outbox.ts'
import { approversIn, quorumMet } from '../approvals/quorum.ts'
import { grantedScope, matchedValues, offeredScopes } from '../approvals/scope.ts'
import { getApproval, lockApproval } from '../approvals/store.ts'
import { insertVote, isExcludedByStore, votesOf } from '../approvals/votes.ts'
import { Problem } from '../core/errors.ts'
import type { EventInput } from '../core/event.ts'
import type { JsonObject } from '../core/json.ts'
import type { Person } from '../core/person.ts'
import { isDisabled } from '../identity/ended-subjects.ts'
import { subjectOfPerson } from '../identity/people.ts'
import { announceEverywhere } from './notices/announce.ts'
import type { Ballot } from './ballot.ts'
import { asProblem, commit, type Step } from './commit.ts'
import type { GateContext } from './context.ts'
import { lookedAgain } from './looked-again.ts'
import { objection, selfApproval } from './objection.ts'
import { endFormerLife, expire, resolveByVote } from './settle.ts'
import { approvalView } from './view.ts'
import { votesThatCount } from './votes-that-count.ts'

/**
 * Casts one person's vote, through any channel. Everything is checked under the approval's lock, in
 * the transaction that takes the edge. Rejects with `self-approval`, `not-eligible`,
 * `already-resolved` (which names who decided), `view-changed`, `bad-request` or `not-found`. A
 * refused vote is on record too.
 */
export async function castVote(
  ctx: GateContext,
  person: Person,
  ballot: Ballot,
): Promise<JsonObject> {
  const refused = await lookedAgain(() => cast(ctx, person, ballot))
  if (refused) throw refused
  if (ballot.decision === 'break_glass') {
    ctx.log.warn({ approval: ballot.approval }, 'the glass was broken: one person released this')
  }
  try {
    const approval = await getApproval(ctx.store, ballot.approval)
    const votes = await votesOf(ctx.store, [ballot.approval])
    return approvalView(approval!, votes.get(ballot.approval)!)
  } catch (error) {
    throw asProblem(error)
  }
}

/** Records the vote, and resolves to the reason why it does not count, if any. */
function cast(ctx: GateContext, person: Person, ballot: Ballot): Promise<Problem | undefined> {
  return commit(ctx, async (step) => {
    const locked = await lockApproval(step.tx, ballot.approval)
    if (!locked) throw new Problem('not-found', `There is no approval ${ballot.approval}.`)
    const { now, ofThisLife } = locked
    let { approval } = locked
    if (approval.state === 'pending') {
      if (!ofThisLife) approval = await endFormerLife(step, approval)
      else if (approval.expiresAt <= now) approval = await expire(step, approval)
    }
    const excluded = await isExcludedByStore(step.tx, approval.id, person)
    const problem = excluded
      ? selfApproval()
      : ((await nobodyNow(ctx, step, person)) ?? objection(person, ballot, approval))
    if (!problem) return count(ctx, step, approval, person, ballot)
    await step.record(voteEvent('approval.vote_refused', approval, person, ballot, problem))
    return problem
  })
}

/**
 * Why nobody vouches for this person any more, or `null`. Whatever the channel, a vote does not
 * count if the account was disabled, or if its identity provider is no longer trusted.
 */
async function nobodyNow(
  { trusts }: GateContext,
  { tx }: Step,
  person: Person,
): Promise<Problem | null> {
  if (!trusts(person, 'login')) {
    return new Problem('not-eligible', 'The identity provider of this account counts no more here.')
  }
  if (!(await isDisabled(tx, person))) return null
  return new Problem('not-eligible', 'The identity provider disabled this account.')
}

async function count(
  ctx: GateContext,
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
  const type = decision === 'break_glass' ? 'approval.broken_glass' : 'approval.voted'
  await step.record(voteEvent(type, approval, person, ballot))
  step.changed(approval.id)

  const resolution = { by: { issuer, subject }, reason }
  if (decision === 'deny') {
    await resolveByVote(step, approval, 'denied', resolution)
    return undefined
  }
  if (decision === 'break_glass') {
    // One run and no grant, because an emergency is one action.
    await resolveByVote(step, approval, 'approved', resolution)
    await announceEverywhere(step.tx, approval, ctx.announcing)
    await hastenNotices(step.tx, approval.id)
    return undefined
  }
  const votes = await votesThatCount(ctx, step.tx, approval.id)
  if (quorumMet(approval.decision.requirements, approversIn(votes))) {
    await resolveByVote(step, approval, 'approved', resolution)
    await grantBeyondOnce(step, approval, votes)
  }
  return undefined
}

/**
 * Writes down a grant where all approvers granted more than one run, and the attributes that have
 * to be the same are known.
 */
async function grantBeyondOnce(
  { tx, record }: Step,
  approval: Approval,
  votes: readonly Vote[],
): Promise<void> {
  const { id, action, decision, digest, subjectKey, resource, binding, connection } = approval
  const offers = offeredScopes(decision.requirements, connection !== null)
  const granted = grantedScope(
    votes.map(({ scope }) => scope),
    offers,
  )
  if (!granted) return
  const { session, minutes } = granted
  const match = granted.match.length > 0 ? matchedValues(action, granted.match) : null
  if (granted.match.length > 0 && match === null) return
  const rules = decision.requirements.map(({ rule }) => rule)
  const grant = { approval: id, subjectKey, resource, binding, rules, match }
  const on = session ? connection : null
  await insertGrant(tx, { ...grant, digest: match ? null : digest }, minutes, on)
  await record({
    type: 'approval.granted',
    subject: action.subject,
    resource,
    approval: id,
    rules,
    details: { minutes, match: [...granted.match], ...(session && { session }) },
  })
}

function voteEvent(
  type: 'approval.voted' | 'approval.broken_glass' | 'approval.vote_refused',
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
    ...(type === 'approval.broken_glass' && {
      rules: approval.decision.rules,
      policy: approval.decision.policy,
    }),
    ...(refused && { reason: refused.code }),
  }
}
