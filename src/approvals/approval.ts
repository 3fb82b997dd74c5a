import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import type { Outcome } from '../core/event.ts'
import type { JsonObject } from '../core/json.ts'
import type { Party } from '../core/subject.ts'
import type { ApprovalState } from './machine.ts'
import type { Scope } from './scope.ts'

/** Why an approval ended without running, or who made it ready to run. */
export interface Resolution {
  /** The approver, the canceller, or `null` for the gateway itself. */
  readonly by: Party | null
  readonly reason: string | null
}

/**
 * The attempt on a replica, in one of its epochs, that claimed an approval. Only the holder may
 * send.
 */
export interface Holder {
  readonly replica: string
  readonly epoch: number
  /**
   * Id of the action that claimed it, which differs from the approval's own if the request was sent
   * again.
   */
  readonly action: string
}

/**
 * The connection on which an approval was asked for. More than one run may be granted to it, until
 * it ends.
 */
export interface Connection {
  /** A secret of the replica that has the connection. */
  readonly id: string
  /** The replica that has it, in this epoch only. */
  readonly replica: string
  readonly epoch: number
  /**
   * When the credential that opened it expires, in milliseconds since 1970; `null` if it does not.
   */
  readonly until: number | null
}

/** The durable task of one held action. */
export interface Approval {
  readonly id: string
  readonly state: ApprovalState
  /** Goes up with every edge. An edge that names an old version loses. */
  readonly version: number
  readonly subjectKey: string
  readonly resource: string
  readonly digest: string
  /** A digest of the upstream and the credential that the resource had. */
  readonly binding: string
  readonly action: Action
  readonly payload: JsonObject
  readonly decision: Decision
  readonly viewHash: string
  /** How the last run of the same digest ended, or `null` if it never ran. */
  readonly ranBefore: { readonly id: string; readonly state: ApprovalState } | null
  /** `null` where the protocol's connections do not stand for a client, as with HTTP. */
  readonly connection: Connection | null
  /**
   * A digest of what the names in the action stood for when the approval was asked for; `null`
   * where the protocol has no such names.
   */
  readonly definitions: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly resolvedAt: Date | null
  readonly resolution: Resolution | null
  readonly holder: Holder | null
  readonly outcome: Outcome | null
}

export type NewApproval = Pick<
  Approval,
  | 'id'
  | 'subjectKey'
  | 'resource'
  | 'digest'
  | 'binding'
  | 'action'
  | 'payload'
  | 'decision'
  | 'viewHash'
  | 'ranBefore'
  | 'connection'
  | 'definitions'
  | 'createdAt'
  | 'expiresAt'
>

/** `break_glass` releases an action alone, whatever the quorum. */
export type VoteDecision = 'approve' | 'deny' | 'break_glass'

export interface Vote extends Party {
  readonly name: string
  readonly decision: VoteDecision
  readonly reason: string | null
  readonly scope: Scope
  readonly channel: string
  readonly votedAt: Date
  /**
   * The voter's groups as they are known now, because eligibility is counted again when an approval
   * is used.
   */
  readonly groups: readonly string[]
  /**
   * Every name of the voter that is known now, under any identity. Two votes that share a name come
   * from one person.
   */
  readonly names: readonly string[]
  /**
   * Whether, by what is known now, the vote does not count: the voter is behind the action (perhaps
   * linked to its owner after the vote), or their account was disabled.
   */
  readonly excluded: boolean
}
