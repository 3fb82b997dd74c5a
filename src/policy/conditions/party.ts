import type { Party, Subject } from '../../core/subject.ts'
import { either, type Condition, type Dimension, type Filing, type Mode } from './condition.ts'

const bySubject: Dimension = {
  name: 'who.subject',
  keysOf: ({ action }) => actingParties(action.subject).map((party) => party.subject),
}

const byIssuer: Dimension = {
  name: 'who.issuer',
  keysOf: ({ action }) => actingParties(action.subject).map((party) => party.issuer),
}

/** What `who` says about identities; each list may be absent, not both. */
export interface Parties {
  readonly subject?: readonly string[] | undefined
  readonly issuer?: readonly string[] | undefined
}

/**
 * `who.subject` and `who.issuer`, together, since a subject is unique within its issuer only. The
 * subject and every actor in its chain take part in an action: an allow rule has to list all of
 * them, a hold or deny rule any one.
 */
export function party(wanted: Parties, mode: Mode): Condition {
  const { subject, issuer } = wanted
  const listed = (candidate: Party): boolean =>
    (subject === undefined || subject.includes(candidate.subject)) &&
    (issuer === undefined || issuer.includes(candidate.issuer))
  const filings: Filing[] = []
  if (subject) filings.push({ dimension: bySubject, keys: subject })
  if (issuer) filings.push({ dimension: byIssuer, keys: issuer })
  return {
    key: subject ? 'who.subject' : 'who.issuer',
    wants: [subject && either(subject), issuer && `of ${either(issuer)}`].filter(Boolean).join(' '),
    test({ action }) {
      const parties = actingParties(action.subject)
      const matches = mode === 'everything' ? parties.every(listed) : parties.some(listed)
      return matches ? 'yes' : 'no'
    },
    found: ({ action }) =>
      actingParties(action.subject)
        .map((one) => `${one.subject} of ${one.issuer}`)
        .join(', acted for by '),
    filings,
  }
}

function actingParties(subject: Subject): readonly Party[] {
  return [subject, ...subject.chain]
}
