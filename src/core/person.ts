import type { Party } from './subject.ts'

/** A human being who has proven who they are to the control plane. Only people vote. */
export interface Person extends Party {
  /** For display only. */
  readonly name: string
  readonly email: string | null
  readonly groups: readonly string[]
  /**
   * Every name by which an owner claim or an alias can mean this person: subject, e-mail address, preferred user name. Used only to
   * exclude, never to grant: an e-mail address is not an identity.
   */
  readonly identifiers: readonly string[]
}

export type Role = 'approver' | 'auditor' | 'admin'
