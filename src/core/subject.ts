import type { JsonObject } from './json.ts'

/**
 * Somebody, as their issuer names them. Two parties are the same exactly when both fields are equal:
 * a subject identifier is unique within its issuer only (OpenID Connect Core 1.0, §2).
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
  /** The human side of an agent, from the owner claim, the delegation chain or the agent key's record. */
  readonly owner: Owner | null
  /** The actors of the `act` claim (RFC 8693 §4.1), the current one first. Empty without delegation. */
  readonly chain: readonly Party[]
  /** Others who stand behind the credential: its authorized party (`azp`), the creator of its key. */
  readonly related: readonly Party[]
  /** Verified claims that policies may read. */
  readonly claims: JsonObject
}

/** The credential that an action came with; what has to be valid still when an approval is used. */
export interface Credential {
  readonly kind: 'jwt' | 'agent-key'
  /** Names the credential without revealing it: the key's id, or the token's hash. */
  readonly id: string
  /** Milliseconds since the epoch after which it is worth nothing; `null` for a key without an end. */
  readonly expiresAt: number | null
}

/** What authenticating gives: who, and by which credential. */
export interface Principal {
  readonly subject: Subject
  readonly credential: Credential
}

export function sameParty(a: Party, b: Party): boolean {
  return a.issuer === b.issuer && a.subject === b.subject
}

/** One string for one party. The space cannot be part of an issuer, which is a URL (RFC 8414 §2). */
export function partyKey({ issuer, subject }: Party): string {
  return `${issuer} ${subject}`
}

/** The person that acts through this subject, or that it acts for: the token's own subject once somebody else acts with it, else the owner. */
export function actingFor(subject: Subject): Owner | null {
  if (subject.chain.length > 0) return { issuer: subject.issuer, subject: subject.subject }
  return subject.owner
}

/** Everybody who can be behind this subject, and so may not approve what it asks for (groups aside). */
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
