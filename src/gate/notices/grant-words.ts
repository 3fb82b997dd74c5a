import type { Approval } from '../../approvals/approval.ts'
import { matchedValues, offeredScopes, type Extended, type Scope } from '../../approvals/scope.ts'
import type { Action } from '../../core/action.ts'
import { visible } from '../../core/visible.ts'

/** Something beyond one run that a vote with this scope would grant. */
export interface Grantable {
  readonly scope: Exclude<Scope, 'once'>
  /** What its button says. */
  readonly label: string
  /** What it means, in a sentence. */
  readonly words: string
}

/**
 * What may be granted, with the values that would have to be the same, because nobody should grant
 * what they were not told. Where a value is unknown, nothing is offered.
 */
export function grantsOf({ action, decision, connection }: Approval): Grantable[] {
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
