import type { Party } from './subject.ts'

/** A human who has proven to the control plane who they are. Only people can vote. */
export interface Person extends Party {
  /** For display only. */
  readonly name: string
  readonly email: string | null
  readonly groups: readonly string[]
  /**
   * Every name by which an owner claim or an alias may mean this person, folded: subject, e-mail
   * address, user name. Used only to exclude people, and to count nobody twice. Never used to grant
   * anything: an e-mail address is not an identity.
   */
  readonly identifiers: readonly string[]
}

/**
 * Claims, besides `sub`, by which a token can name a person. A `sub` may differ between clients:
 * Microsoft Entra makes a new one for each client, and keeps `oid` the same; Okta puts the user
 * name into the `sub` of access tokens, and the `sub` of ID tokens into `uid`.
 */
export const nameClaims = ['email', 'preferred_username', 'upn', 'unique_name', 'uid', 'oid']

/**
 * Maps spellings of a name that people or directories treat as equal to one form: case, and
 * Unicode's equivalent forms (NFKC, UAX #15). A wrong match costs one eligible approver; a missed
 * one would allow a self-approval.
 */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

export type Role = 'approver' | 'auditor' | 'admin'
