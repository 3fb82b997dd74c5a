import type { Party } from './subject.ts'

/** A human being who has proven who they are to the control plane. Only people vote. */
export interface Person extends Party {
  /** For display only. */
  readonly name: string
  readonly email: string | null
  readonly groups: readonly string[]
  /**
   * Every name by which an owner claim or an alias can mean this person, folded: subject, e-mail
   * address, user name. Used only to exclude, and never to count somebody twice; never to grant: an
   * e-mail address is not an identity.
   */
  readonly identifiers: readonly string[]
}

/**
 * Claims by which a token can name a person, besides `sub`, which an identity provider may draw
 * anew for each client: Microsoft Entra does, and keeps `oid` the same; Okta puts the user name
 * into `sub` of access tokens, and what `sub` of an ID token says into `uid`.
 */
export const nameClaims = ['email', 'preferred_username', 'upn', 'unique_name', 'uid', 'oid']

/**
 * Spellings of one name that people, or directories, take for the same give the same: case, and
 * Unicode's equivalent forms (NFKC, UAX #15). A wrong match costs one eligible approver; a missed
 * one would be a self-approval.
 */
export function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

export type Role = 'approver' | 'auditor' | 'admin'
