import type { JsonObject } from '../../core/json.ts'
import type { Notice } from './notice.ts'

/**
 * A way to tell people outside of the gateway: Slack, Teams, a webhook. What it is told to deliver
 * is durable already, and is delivered at least once: each attempt may be a repetition, by another
 * replica too. Votes come back through `castVote`, like everybody's.
 */
export interface Channel {
  /**
   * What rules call it, without the place: `slack`, `teams`, `webhook:siem`. One that fails holds
   * up nothing but itself.
   */
  readonly name: string
  /**
   * Posts the message, or edits the one that `notice.receipt` names, to show the state that the
   * notice holds. Resolves when the other side has taken it. Rejects with `DeliveryError` for what
   * is known to go wrong there; anything else is taken for a defect, and tried again as well. Must
   * give up at `signal`.
   */
  deliver(notice: Notice, signal: AbortSignal): Promise<Delivered>
}

export interface Delivered {
  /**
   * Where the message is, in the channel's own words: comes back with the next notice of the same
   * place, so that the message is edited.
   */
  readonly receipt: JsonObject
}

/**
 * The other side did not take it. The message is shown to administrators: words, without secrets.
 */
export class DeliveryError extends Error {
  /**
   * Milliseconds that the other side asks to be left alone, altogether, not for this message only.
   */
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
