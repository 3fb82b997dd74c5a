import type { Effect, Span } from './action.ts'
import type { DataUse, ModelUse } from './data-use.ts'
import type { Verdict } from './decision.ts'
import type { JsonObject } from './json.ts'
import type { Subject } from './subject.ts'

/** Every step that is on record. Stable: exports and SIEM rules rely on these names. */
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

/**
 * How much was said over a WebSocket, by direction: frames, and bytes with those that frame them.
 */
export type WebSocketUse = {
  readonly from_agent: { readonly frames: number; readonly bytes: number }
  readonly to_agent: { readonly frames: number; readonly bytes: number }
}

/** What the upstream did. `unknown`: it may have, and nobody can tell; it is never tried again. */
export interface Outcome {
  readonly result: 'succeeded' | 'failed' | 'unknown'
  /** HTTP status; absent where there was no answer. */
  readonly status?: number
  readonly rows?: number
  readonly bytes?: number
  readonly duration_ms?: number
  /** Absent where none was opened. */
  readonly websocket?: WebSocketUse
  /**
   * What the answer of a model says about itself; absent where nobody reads that. On record it is
   * in the event's `usage`.
   */
  readonly model?: ModelUse
  /** Problem code of a failure before an answer, or of what cut it off. */
  readonly error?: string
}

/** Indexes of the log from `first` up to `end`. */
export interface Indexes {
  readonly first: number
  readonly end: number
}

/** A month that is kept elsewhere: every event in it, and the files that have them all. */
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
   * `false`: the decision was not carried out, because its resource is only observed, and the
   * action ran as if it were allowed. A `deny` or `hold` with this is an intent, just as an `allow`
   * is. Left out otherwise.
   */
  readonly enforced?: false
  readonly reason?: string
  readonly rules?: readonly string[]
  readonly policy?: string
  /** The approval's id. */
  readonly approval?: string
  readonly outcome?: Outcome
  /** Of a decision, the data sets and classes; of an outcome, all of it. */
  readonly usage?: DataUse
  readonly trace?: string
  readonly span?: Span
  /**
   * Of an `audit.retained`. Hashed, and never erased: without it nobody could tell a month that is
   * kept elsewhere from one that somebody took away.
   */
  readonly retention?: Retention
}
