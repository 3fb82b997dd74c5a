import type { JsonObject } from './json.ts'

/**
 * Somebody, as their issuer names them. Two parties are the same only if both fields are equal,
 * because a subject identifier is unique only within its issuer (OpenID Connect Core 1.0, §2).
 */
export interface Party {
  readonly issuer: string
  readonly subject: string
}

export type SubjectKind = 'human' | 'agent' | 'service'

/** Who answers for an agent: a person, or every member of a group. */
export type Owner = Party | { readonly group: string }

/** Who acts, verified and complete. Everything that excludes approvers is computed from this. */
export interface Subject extends Party {
  /**
   * What kind of party acts now. With an actor in the chain it is never `human`, whatever a claim
   * says.
   */
  readonly kind: SubjectKind
  readonly groups: readonly string[]
  /**
   * Who answers for the agent, from the owner claim, the delegation chain or the record of the
   * agent key.
   */
  readonly owner: Owner | null
  /**
   * The actors of the `act` claim (RFC 8693 §4.1), the current one first. Empty without delegation.
   */
  readonly chain: readonly Party[]
  /**
   * Who else stands behind the credential: the clients that it was issued to (`azp`), or the
   * creator of the key.
   */
  readonly related: readonly Party[]
  /** Verified claims that policies may read. */
  readonly claims: JsonObject
}

/** The credential that an action came with. It has to be still valid when an approval is used. */
export interface Credential {
  readonly kind: 'jwt' | 'opaque-token' | 'agent-key' | 'certificate'
  /**
   * Identifies the credential without revealing it: the id of a key, or the SHA-256 of a token or
   * certificate in hex.
   */
  readonly id: string
  /**
   * Milliseconds since 1970. Closed: absent where it is not known, and then every end of its
   * subject's sessions has ended it too.
   */
  readonly issuedAt?: number
  /** When it expires, in milliseconds since 1970; `null` for a key that does not. */
  readonly expiresAt: number | null
  /**
   * The names of everybody whose end also ends this credential: of `owner`s when their accounts are
   * disabled, of `self` also when its sessions end.
   */
  readonly names?: readonly CredentialName[]
  /**
   * Checks the credential again with those who know: the issuer (RFC 7662), or the listener that a
   * certificate was shown to. Rejects when it is no longer valid.
   */
  readonly recheck?: () => Promise<unknown>
}

/** A folded name of somebody behind a credential. */
export interface CredentialName {
  readonly issuer: string
  readonly name: string
  readonly as: 'self' | 'owner'
}

/** The result of authentication: who it is, and by which credential. */
export interface Principal {
  readonly subject: Subject
  readonly credential: Credential
}

export function sameParty(a: Party, b: Party): boolean {
  return a.issuer === b.issuer && a.subject === b.subject
}

/**
 * A string that is unique to a party. No issuer contains a space: configured ones are URLs, and
 * tokens that name an issuer with a space are refused.
 */
export function partyKey({ issuer, subject }: Party): string {
  return `${issuer} ${subject}`
}

/**
 * The person or group that this subject acts for: the token's own subject if somebody else acts
 * with the token, otherwise the owner. A subject that is itself an actor, or a client that the
 * token was issued to, is a machine; delegating to itself does not make it a person.
 */
export function actingFor(subject: Subject): Owner | null {
  const { issuer, subject: name, chain, related, owner } = subject
  const machine = [...chain, ...related].some((party) => sameParty(party, subject))
  return chain.length > 0 && !machine ? { issuer, subject: name } : owner
}

/**
 * Everybody who may be behind this subject, and so must not approve what it asks for (groups
 * aside).
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
