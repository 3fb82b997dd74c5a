import type { Eligible, Requirement } from '../core/decision.ts'
import type { Vote } from './approval.ts'
import { approversIn, isEligible, quorumMet, type Voter } from './quorum.ts'

/**
 * The fewest characters of a reason for breaking the glass, without surrounding blanks. The
 * database checks this too.
 */
export const shortestReason = 10

/**
 * Who may release an action alone in an emergency: whoever is in all of these. Empty if nobody may,
 * because no rule holds the action, or because not every rule that does offers it: one rule cannot
 * open what another closes.
 */
export function breakGlassOf(requirements: readonly Requirement[]): readonly Eligible[] {
  const offers = requirements.flatMap(({ breakGlass }) => breakGlass ?? [])
  return offers.length === requirements.length ? offers : []
}

export function mayBreakGlass(person: Voter, offers: readonly Eligible[]): boolean {
  return offers.length > 0 && offers.every((from) => isEligible(person, from))
}

/**
 * Whether an action may run by what is known now: enough people approved it, or somebody who may
 * broke the glass.
 */
export function isReleased(requirements: readonly Requirement[], votes: readonly Vote[]): boolean {
  if (quorumMet(requirements, approversIn(votes))) return true
  const offers = breakGlassOf(requirements)
  return votes.some(
    (vote) => vote.decision === 'break_glass' && !vote.excluded && mayBreakGlass(vote, offers),
  )
}
