import type { JsonObject } from './json.ts'

/**
 * Somebody, as their issuer names them. Two parties are the same exactly when both fields are
 * equal: a subject identifier is unique within its issuer only (OpenID Connect Core 1.0, §2).
 */
export interface Party {
  readonly issuer: string
  readonly subject: string
}

export type SubjectKind = 'human' | 'agent' | 'service'

/** Who answers for an agent: a person, or every member of a group. */
export type Owner = Party | { readonly group: string }

/** Who acts: verified, and complete. Everything that excludes an approver is computed from this. */
export interface Subject extends Party {
  /** What is acting now. With an actor in the chain it is never `human`, whatever a claim says. */
  readonly kind: SubjectKind
  readonly groups: readonly string[]
  /**
   * The human side of an agent, from the owner claim, the delegation chain or the agent key's
   * record.
   */
  readonly owner: Owner | null
  /**
   * The actors of the `act` claim (RFC 8693 §4.1), the current one first. Empty without delegation.
   */
  readonly chain: readonly Party[]
  /**
   * Who else stands behind the credential: the clients that it was issued to (`azp`), the subject
   * itself if it is one; the creator of its key.
   */
  readonly related: readonly Party[]
  /** Verified claims that policies may read. */
  readonly claims: JsonObject
}

/** The credential that an action came with; what has to be valid still when an approval is used. */
export interface Credential {
  readonly kind: 'jwt' | 'opaque-token' | 'agent-key' | 'certificate'
  /**
   * Names the credential without revealing it: the key's id, the token's hash, or the certificate's
   * (SHA-256 in hex).
   */
  readonly id: string
  /**
   * Milliseconds since the epoch. Absent where nobody knows: then everything that ended its
   * subject's sessions ended it too.
   */
  readonly issuedAt?: number
  /**
   * Milliseconds since the epoch after which it is worth nothing; `null` for a key without an end.
   */
  readonly expiresAt: number | null
  /**
   * Everybody, by every name that is known of them, whose end ends this credential too: `owner`
   * when their account is disabled, `self` also with their sessions.
   */
  readonly names?: readonly CredentialName[]
  /**
   * Asks again whoever knows: the issuer (RFC 7662), the listener that a certificate was shown to.
   * Rejects when the credential is worth nothing any more.
   */
  readonly recheck?: () => Promise<unknown>
}

/** A folded name of somebody behind a credential. */
export interface CredentialName {
  readonly issuer: string
  readonly name: string
  readonly as: 'self' | 'owner'
}

/** What authenticating gives: who, and by which credential. */
export interface Principal {
  readonly subject: Subject
  readonly credential: Credential
}

export function sameParty(a: Party, b: Party): boolean {
  return a.issuer === b.issuer && a.subject === b.subject
}

/**
 * One string for one party. No issuer has a space in it: configured ones are URLs, and tokens that
 * name another with one are refused.
 */
export function partyKey({ issuer, subject }: Party): string {
  return `${issuer} ${subject}`
}

/**
 * The person that acts through this subject, or that it acts for: the token's own subject once
 * somebody else acts with it, else the owner. A subject that is itself an actor, or a client that
 * its token was issued to, is a machine, and delegating to itself makes no person of it.
 */
export function actingFor(subject: Subject): Owner | null {
  const { issuer, subject: name, chain, related, owner } = subject
  const machine = [...chain, ...related].some((party) => sameParty(party, subject))
  return chain.length > 0 && !machine ? { issuer, subject: name } : owner
}

/**
 * Everybody who can be behind this subject, and so may not approve what it asks for (groups aside).
 */
export function partiesOf(subject: Subject): readonly Party[] {
  const owner = subject.owner && 'issuer' in subject.owner ? [subject.owner] : []
  const all: Party[] = [subject, ...subject.chain, ...owner, ...subject.related]
  const unique = new Map(
    all.map(({ issuer, subject: name }) => [
      partyKey({ issuer, subject: name }),
      { issuer, subject: name },
    ]),
  )
  return [...unique.values()]
}
