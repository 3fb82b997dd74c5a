import type { Eligible, Requirement } from '../core/decision.ts'
import type { Person } from '../core/person.ts'
import { sameParty } from '../core/subject.ts'
import type { Vote } from './approval.ts'

export type Voter = Pick<Person, 'issuer' | 'subject' | 'groups'>

export function isEligible(person: Voter, from: Eligible): boolean {
  return 'group' in from
    ? person.groups.includes(from.group)
    : from.people.some((party) => sameParty(party, person))
}

/**
 * The voters whose approval counts by what is known now, each person once. An identity provider may
 * name one person differently in the tokens of two clients, so that the console and the CLI see two
 * identities.
 */
export function approversIn(votes: readonly Vote[]): readonly Voter[] {
  const counted: Vote[] = []
  for (const vote of votes) {
    if (vote.decision !== 'approve' || vote.excluded) continue
    const again = counted.some(({ names }) => names.some((name) => vote.names.includes(name)))
    if (!again) counted.push(vote)
  }
  return counted
}

/**
 * Whether these approvers meet every requirement. The requirements of all matching rules add up,
 * and every person counts once in all: somebody in two of the groups fills one place, not two. Each
 * place (a requirement has `quorum` of them) needs a person of its own, which is a bipartite
 * matching, found by augmenting paths.
 */
export function quorumMet(
  requirements: readonly Requirement[],
  approvers: readonly Voter[],
): boolean {
  const places = requirements.flatMap(({ from, quorum }) =>
    Array.from({ length: quorum }, () => from),
  )
  if (places.length === 0) return false
  const seatOf = new Map<number, number>()

  const seat = (place: number, tried: Set<number>): boolean =>
    approvers.some((person, index) => {
      if (tried.has(index) || !isEligible(person, places[place]!)) return false
      tried.add(index)
      const occupied = seatOf.get(index)
      if (occupied !== undefined && !seat(occupied, tried)) return false
      seatOf.set(index, place)
      return true
    })

  return places.every((_, place) => seat(place, new Set()))
}
