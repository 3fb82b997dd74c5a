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

/** A replica in one of its lives; only the holder may send what it claimed. */
export interface Holder {
  readonly replica: string
  readonly epoch: number
  /**
   * Id of the attempt that claimed, which is an action of its own when the request was sent again.
   */
  readonly action: string
}

/**
 * The connection that an approval was asked for on, and that may be granted more than one run until
 * it ends.
 */
export interface Connection {
  /** Known to nobody but the gateway that has it. */
  readonly id: string
  /** The gateway that has it, in one of its lives: no later one has it any more. */
  readonly replica: string
  readonly epoch: number
  /**
   * Milliseconds since the epoch after which the credential that opened it is worth nothing; `null`
   * for one without an end.
   */
  readonly until: number | null
}

/** The durable task of one held action. */
export interface Approval {
  readonly id: string
  readonly state: ApprovalState
  /** One more with every edge; an edge that names an old version loses. */
  readonly version: number
  readonly subjectKey: string
  readonly resource: string
  readonly digest: string
  /** Names the upstream and the credential that the resource was bound to. */
  readonly binding: string
  readonly action: Action
  readonly payload: JsonObject
  readonly decision: Decision
  readonly viewHash: string
  /** How the last run of the same digest ended, or `null` if it never ran. */
  readonly ranBefore: { readonly id: string; readonly state: ApprovalState } | null
  /** `null` where its protocol has no connection worth the name. */
  readonly connection: Connection | null
  /**
   * Stands for what the names in the action stood for when it was asked about; `null` where its
   * protocol has none.
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

/** `break_glass` releases it alone, whatever the quorum. */
export type VoteDecision = 'approve' | 'deny' | 'break_glass'

export interface Vote extends Party {
  readonly name: string
  readonly decision: VoteDecision
  readonly reason: string | null
  readonly scope: Scope
  readonly channel: string
  readonly votedAt: Date
  /**
   * The voter's groups as they are known now, not as they were: eligibility is recounted when an
   * approval is used.
   */
  readonly groups: readonly string[]
  /**
   * Every name that is known now of the voter, under whichever identity: two votes that share one
   * are of one person.
   */
  readonly names: readonly string[]
  /**
   * Whether the vote does not count, by what is known now: the voter is behind the action (linked
   * to its owner after the vote, say), or their identity provider disabled their account.
   */
  readonly excluded: boolean
}
