import type { Party } from '../../../core/subject.ts'
import type { ShownSubject } from '../api/types.ts'

/** One station on the way from a person to what is about to happen. */
export interface Station {
  readonly role: 'person' | 'group' | 'nobody' | 'agent' | 'service' | 'resource'
  readonly name: string
  readonly issuer: string | null
  /** What it does here. */
  readonly says: string
}

const station = (role: Station['role'], { issuer, subject }: Party, says: string): Station => ({
  role,
  name: subject,
  issuer,
  says,
})

function behind({ kind, owner }: ShownSubject): Station[] {
  if (owner === null)
    return kind === 'human'
      ? []
      : [{ role: 'nobody', name: 'nobody known', issuer: null, says: 'owns it' }]
  return 'group' in owner
    ? [{ role: 'group', name: owner.group, issuer: null, says: 'owns it' }]
    : [station('person', owner, 'owns it')]
}

/**
 * From the person, through everybody who acts, to the resource. A token with actors (RFC 8693 §4.1:
 * the current one first) is about its subject, who delegated; without them its subject acts by
 * itself, and the person is its owner.
 */
export function delegation(subject: ShownSubject, resource: string): Station[] {
  const end: Station = { role: 'resource', name: resource, issuer: null, says: 'is acted on' }
  const acts = subject.kind === 'service' ? 'service' : 'agent'
  if (subject.chain.length === 0) {
    const own = subject.kind === 'human' ? 'person' : acts
    return [...behind(subject), station(own, subject, 'acts'), end]
  }
  const actors = subject.chain.toReversed()
  return [
    station('person', subject, 'delegated'),
    ...actors.map((party, i) =>
      station(acts, party, i === actors.length - 1 ? 'acts' : 'passed it on'),
    ),
    end,
  ]
}

/**
 * Who acts now, and the person (or group) it acts for, `null` if that is itself or nobody known.
 */
export function actorAndPerson(subject: ShownSubject): { actor: string; person: string | null } {
  const stations = delegation(subject, '')
  const actor = stations.at(-2)!
  const first = stations[0]!
  return {
    actor: actor.name,
    person: first === actor || first.role === 'nobody' ? null : first.name,
  }
}
