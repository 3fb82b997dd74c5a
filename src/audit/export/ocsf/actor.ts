import type { JsonObject } from '../../../core/json.ts'
import { list, object, text, texts, type Recorded } from './recorded.ts'

const types: Readonly<Record<string, readonly [id: number, name: string]>> = {
  human: [1, 'User'],
  service: [4, 'Service'],
  agent: [99, 'Agent'],
}

/** Who it was; with a name only where the event still says so. */
export function userOf({ subject, subjectKind }: Recorded): JsonObject {
  const kind = subjectKind ?? text(subject?.['kind'])
  const [id, name] = (kind !== undefined && types[kind]) || ([0, 'Unknown'] as const)
  const type = { type_id: id, type: name }
  const issuer = text(subject?.['issuer'])
  const is = text(subject?.['subject'])
  if (subject === undefined || issuer === undefined || is === undefined) {
    return { ...type, name: 'unknown' }
  }
  const groups = texts(subject['groups']).map((group) => ({ name: group }))
  return {
    ...type,
    name: is,
    uid: `${issuer} ${is}`,
    domain: issuer,
    ...(groups.length > 0 && { groups }),
  }
}

/**
 * The subject, and the party that acts for it now (RFC 8693 §4.1). Without a subject it was the
 * gateway itself.
 */
export function actorOf(event: Recorded): JsonObject {
  const { subject, subjectKind, replica } = event
  if (!subject && !subjectKind) return { app_name: 'sallyport', app_uid: replica }
  const now = partyOf(list(subject?.['chain'])[0] ?? null)
  return {
    user: userOf(event),
    ...(now && { app_name: now.subject, app_uid: `${now.issuer} ${now.subject}` }),
  }
}

/**
 * Everybody in the chain of delegation, and who answers for the subject: OCSF has no place for more
 * than one actor.
 */
export function delegationOf({ subject }: Recorded): JsonObject | null {
  if (!subject) return null
  const chain = list(subject['chain']).flatMap((party) => partyOf(party) ?? [])
  const owner = object(subject['owner'])
  if (chain.length === 0 && !owner) return null
  return {
    name: 'actor.user.name',
    value: text(subject['subject']) ?? 'unknown',
    type: 'delegation',
    data: { chain, ...(owner && { owner }) },
  }
}

/** Values to pivot on. */
export function observablesOf(event: Recorded, path: string | undefined): JsonObject[] {
  const { subject, resource } = event
  const name = text(subject?.['subject'])
  const chain = list(subject?.['chain']).flatMap((party) => partyOf(party) ?? [])
  return [
    ...(name === undefined ? [] : [seen('actor.user.name', 4, 'User Name', name)]),
    ...chain.map((party) => seen('enrichments.data.chain', 4, 'User Name', party.subject)),
    ...(resource === undefined ? [] : [seen('unmapped.resource', 10, 'Resource UID', resource)]),
    ...(path === undefined ? [] : [seen('http_request.url.path', 99, 'URL path', path)]),
  ]
}

function seen(name: string, id: number, type: string, value: string): JsonObject {
  return { name, type_id: id, type, value }
}

function partyOf(value: JsonObject[string]): { issuer: string; subject: string } | null {
  const issuer = text(object(value)?.['issuer'])
  const subject = text(object(value)?.['subject'])
  return issuer === undefined || subject === undefined ? null : { issuer, subject }
}
