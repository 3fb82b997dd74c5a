import { foldName, nameClaims, type Person } from '../core/person.ts'
import { actingFor, partiesOf, sameParty, type Party, type Subject } from '../core/subject.ts'

/** Everybody who stands behind an action, and so may not vote on it. */
export interface Exclusion {
  readonly parties: readonly Party[]
  /** Groups that own the agent: none of their members may vote. */
  readonly groups: readonly string[]
}

export function exclusionOf(subject: Subject): Exclusion {
  const { issuer, owner, claims } = subject
  // A token may name its human subject differently from the identity that they log in with.
  const named = nameClaims
    .map((claim) => claims[claim])
    .filter((name) => typeof name === 'string')
    .map((name) => ({ issuer, subject: name }))
  return {
    parties: [...partiesOf(subject), ...named],
    groups: owner && 'group' in owner ? [owner.group] : [],
  }
}

/**
 * Whether this person is behind the action. Deliberately wide: any name of theirs (subject, e-mail
 * address, user name, alias) that equals the name of an excluded party counts, whatever the issuer
 * and the spelling, because an owner claim may use any of them.
 */
export function isExcluded(person: Person, exclusion: Exclusion): boolean {
  const names = new Set([person.subject, ...person.identifiers].map(foldName))
  return (
    exclusion.parties.some(({ subject }) => names.has(foldName(subject))) ||
    exclusion.groups.some((group) => person.groups.includes(group))
  )
}

/**
 * Whether this person is behind the action as exactly the identity that its credential names, or in
 * the group that owns the agent. Exclusion goes by names, which others may come to share; the
 * rights of being behind an action (to see it, to take it back) must not.
 */
export function isBehind(person: Person, subject: Subject): boolean {
  const { owner } = subject
  return (
    partiesOf(subject).some((party) => sameParty(party, person)) ||
    (owner !== null && 'group' in owner && person.groups.includes(owner.group))
  )
}

/**
 * Whether a human is known behind the subject. Closed: without one, nobody could be kept from
 * approving their own agent, so its actions can be allowed or denied, but never approved.
 */
export function hasKnownOwner(subject: Subject): boolean {
  return subject.kind === 'human' || actingFor(subject) !== null
}
