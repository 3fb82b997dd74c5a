import type { Effect, Span } from './action.ts'
import type { DataUse, ModelUse } from './data-use.ts'
import type { Verdict } from './decision.ts'
import type { JsonObject } from './json.ts'
import type { Subject } from './subject.ts'

/**
 * The kinds of events on record. These names are stable, because exports and SIEM rules rely on
 * them.
 */
export type EventType =
  | 'action.decided'
  | 'action.dispatched'
  | 'action.completed'
  | 'approval.requested'
  | 'approval.voted'
  | 'approval.vote_refused'
  | 'approval.broken_glass'
  | 'approval.resolved'
  | 'approval.granted'
  | 'response.delivered'
  | 'policy.activated'
  | 'policy.loaded'
  | 'policy.rejected'
  | 'identity.activated'
  | 'identity.refused'
  | 'request.refused'
  | 'identity.login'
  | 'identity.logout'
  | 'identity.key_created'
  | 'identity.key_revoked'
  | 'identity.session_revoked'
  | 'identity.account_disabled'
  | 'identity.account_enabled'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'audit.exported'
  | 'audit.erased'
  | 'audit.delivery_configured'
  | 'audit.retained'
  | 'audit.legal_hold_created'
  | 'audit.legal_hold_released'
  | 'audit.signing_key_used'
  | 'secrets.rotated'
  | 'gateway.started'
  | 'gateway.stopped'

/** How much went over a WebSocket in each direction: frames, and bytes including the framing. */
export type WebSocketUse = {
  readonly from_agent: { readonly frames: number; readonly bytes: number }
  readonly to_agent: { readonly frames: number; readonly bytes: number }
}

/**
 * What became of a run. `unknown`: the upstream may have acted, and nobody can tell. It is never
 * retried by itself.
 */
export interface Outcome {
  readonly result: 'succeeded' | 'failed' | 'unknown'
  /** HTTP status; absent where there was no answer. */
  readonly status?: number
  readonly rows?: number
  readonly bytes?: number
  readonly duration_ms?: number
  /** Absent where no WebSocket was opened. */
  readonly websocket?: WebSocketUse
  /**
   * What a model's answer reports about itself; absent where that is not read. On record it is part
   * of the event's `usage`.
   */
  readonly model?: ModelUse
  /** A code for the failure before the answer, or for what cut the answer off. */
  readonly error?: string
}

/** Indexes of the log from `first` up to `end`. */
export interface Indexes {
  readonly first: number
  readonly end: number
}

/** A month of the log that is kept elsewhere: its events, and the files that have them all. */
export interface Retention {
  /** In UTC, as in 2026-01. */
  readonly month: string
  readonly events: number
  readonly indexes: readonly Indexes[]
  /** SHA-256 in hex, of each file as it is kept. */
  readonly exports: readonly (Indexes & { readonly sha256: string })[]
}

/**
 * One step, as its caller describes it. The appender adds id, time, source and the place in the
 * chain.
 *
 * `subject`, `attributes` and `details` can hold personal data. They are stored apart, and the
 * hashed event carries a salted commitment to them only, so that erasing them later leaves every
 * hash verifiable.
 */
export interface EventInput {
  readonly type: EventType
  readonly subject?: Subject | null
  readonly action?: { readonly id: string; readonly name: string }
  readonly resource?: string
  readonly effect?: Effect
  readonly attributes?: JsonObject
  readonly details?: JsonObject
  readonly digest?: string
  readonly decision?: Verdict
  /**
   * Set to `false` if the decision was not enforced, because the resource is only observed. The
   * action ran as if it had been allowed, so a `deny` or `hold` is an intent too.
   */
  readonly enforced?: false
  readonly reason?: string
  readonly rules?: readonly string[]
  readonly policy?: string
  /** The approval's id. */
  readonly approval?: string
  readonly outcome?: Outcome
  /** In a decision only data sets and classes, in an outcome everything. */
  readonly usage?: DataUse
  readonly trace?: string
  readonly span?: Span
  /**
   * For `audit.retained`. It is hashed and never erased: it alone tells a month that is kept
   * elsewhere from one that somebody removed.
   */
  readonly retention?: Retention
}
