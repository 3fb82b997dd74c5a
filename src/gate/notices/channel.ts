import type { JsonObject } from '../../core/json.ts'
import type { Notice } from './notice.ts'

/**
 * A way to tell people outside the gateway: Slack, Teams, a webhook. Notices are durable before
 * they are delivered, and are delivered at least once, so that each attempt may be a repetition,
 * even of another replica's. Votes come back through `castVote`, like any other.
 */
export interface Channel {
  /** The name that rules use, without the place: `slack`, `teams`, `webhook:siem`. */
  readonly name: string
  /**
   * Posts the message, or edits the one that `notice.receipt` names, to show the state in the
   * notice. Resolves when the other side has taken it. Rejects with a `DeliveryError` for known
   * failures; any other error counts as a defect, and is tried again as well. Must give up at
   * `signal`.
   */
  deliver(notice: Notice, signal: AbortSignal): Promise<Delivered>
}

export interface Delivered {
  /**
   * Identifies the message in the channel's own terms. It comes back with the next notice for the
   * same place, so that the message is edited.
   */
  readonly receipt: JsonObject
}

/**
 * The other side did not take the notice. The message is shown to administrators, and has no
 * secrets.
 */
export class DeliveryError extends Error {
  /** Milliseconds for which the other side asks for no messages at all. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    { retryAfterMs, cause }: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.name = 'DeliveryError'
    this.retryAfterMs = retryAfterMs
  }
}
