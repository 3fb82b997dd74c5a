import type { Approval } from '../approvals/approval.ts'
import { breakGlassOf, mayBreakGlass, shortestReason } from '../approvals/break-glass.ts'
import { exclusionOf, isExcluded } from '../approvals/exclusion.ts'
import { isEligible } from '../approvals/quorum.ts'
import { chosenOf, offeredScopes, type Extended, type Scope } from '../approvals/scope.ts'
import type { Eligible } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import type { Person } from '../core/person.ts'
import { alreadyResolved } from './settle.ts'
import type { Ballot } from './ballot.ts'

/**
 * Why this vote does not count, or `undefined`. Whether the person may vote at all is checked
 * first, so that this answer does not depend on the approval's state.
 */
export function objection(person: Person, ballot: Ballot, approval: Approval): Problem | undefined {
  if (isExcluded(person, exclusionOf(approval.action.subject))) return selfApproval()
  const notEligible =
    ballot.decision === 'break_glass'
      ? glassProblem(person, approval)
      : eligibilityProblem(person, approval)
  if (notEligible) return notEligible
  if (approval.state !== 'pending') return alreadyResolved(approval)
  if (ballot.digest !== approval.digest || ballot.viewHash !== approval.viewHash) {
    return new Problem('view-changed', 'What you saw is not what would run. Look at it again.')
  }
  return ballot.decision === 'break_glass'
    ? emergencyProblem(ballot)
    : scopeProblem(ballot.scope, approval)
}

export function selfApproval(): Problem {
  return new Problem(
    'self-approval',
    'You asked for this action, acted in it, or own the agent that did. Somebody else has to decide.',
  )
}

function eligibilityProblem(person: Person, { decision }: Approval): Problem | undefined {
  const offers = decision.requirements.map(({ from }) => from)
  if (offers.some((from) => isEligible(person, from))) return undefined
  return new Problem('not-eligible', `This approval is for ${namesOf(offers)}.`)
}

function glassProblem(person: Person, { decision }: Approval): Problem | undefined {
  const offers = breakGlassOf(decision.requirements)
  if (mayBreakGlass(person, offers)) return undefined
  const who = offers.length === 0 ? 'Nobody' : `Only who is in ${namesOf(offers)}`
  return new Problem('not-eligible', `${who} may release this alone.`)
}

function namesOf(offers: readonly Eligible[]): string {
  const names = offers.map((from) => ('group' in from ? from.group : 'named people'))
  return [...new Set(names)].join(' and ')
}

/** Breaking the glass takes a reason, and releases one run only. */
function emergencyProblem({ reason, scope }: Ballot): Problem | undefined {
  if ([...(reason ?? '').trim()].length < shortestReason) {
    return new Problem(
      'bad-request',
      `Breaking the glass takes a reason of at least ${shortestReason} characters.`,
    )
  }
  if (scope === 'once') return undefined
  return new Problem('bad-request', 'Breaking the glass releases one run, and no more.')
}

function scopeProblem(scope: Scope, approval: Approval): Problem | undefined {
  if (scope === 'once') return undefined
  const { connection, decision } = approval
  const offers = offeredScopes(decision.requirements, connection !== null)
  if (chosenOf(scope, offers)) return undefined
  return new Problem(
    'bad-request',
    `The rules do not let anybody approve this${beyond(scope, offers)}.`,
  )
}

function beyond(scope: Exclude<Scope, 'once'>, offers: readonly Extended[]): string {
  if ('session' in scope) return ' for a session'
  const offered = offers.find(({ session }) => !session)
  return offered ? ` for more than ${offered.minutes} minutes` : ' for some minutes'
}
