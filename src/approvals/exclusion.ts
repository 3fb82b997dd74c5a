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
  // The token may name its human subject another way than the one that they log in with does.
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
 * Whether this person is behind the action as the very identity that its credential names, or in
 * the group that owns the agent. Being excluded goes by names, which anybody may come to have; what
 * being behind an action gives (seeing it, taking it back) does not.
 */
export function isBehind(person: Person, subject: Subject): boolean {
  const { owner } = subject
  return (
    partiesOf(subject).some((party) => sameParty(party, person)) ||
    (owner !== null && 'group' in owner && person.groups.includes(owner.group))
  )
}

/**
 * Whether a human being is known behind the subject. Without one nobody can be ruled out as the
 * approver of their own agent: closed, so its actions can be allowed or denied, and never approved.
 */
export function hasKnownOwner(subject: Subject): boolean {
  return subject.kind === 'human' || actingFor(subject) !== null
}
