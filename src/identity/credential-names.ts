import { foldName, nameClaims } from '../core/person.ts'
import type { CredentialName, Subject } from '../core/subject.ts'
import { claim } from './claims.ts'

/**
 * Everybody whose end also ends this subject's credential: itself, by each name in its token, and
 * all actors. For an owner only a disabled account counts, because logging out does not stop one's
 * agents.
 */
export function credentialNames(subject: Subject): CredentialName[] {
  const { issuer, chain, owner, claims } = subject
  const own = [subject.subject, ...nameClaims.map((name) => claim(claims, name))]
    .filter((name) => typeof name === 'string')
    .map((name) => ({ issuer, name: foldName(name), as: 'self' as const }))
  const actors = chain.map((actor) => ({
    issuer: actor.issuer,
    name: foldName(actor.subject),
    as: 'self' as const,
  }))
  if (!owner || 'group' in owner) return [...own, ...actors]
  const answers = { issuer: owner.issuer, name: foldName(owner.subject), as: 'owner' as const }
  return [...own, ...actors, answers]
}
