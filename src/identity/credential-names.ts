import { foldName, nameClaims } from '../core/person.ts'
import type { CredentialName, Subject } from '../core/subject.ts'
import { claim } from './claims.ts'

/**
 * Everybody whose end ends the credential of this subject: itself, by each name that its token
 * says, and all actors. Of its owner only a disabled account counts: that somebody logged out ends
 * nothing that their agents do.
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
