import type { EventRow } from '../exported.ts'
import type { Manifest } from '../export/manifest.ts'

/**
 * A place to which the log is delivered as it grows. Batches are durable and signed already, and
 * come in the order of the log. Any may be a repetition, with the same events and the same name,
 * after this or another replica has died.
 */
export interface Destination {
  /** The destination in words for people, without secrets. */
  readonly to: string
  /** SHA-256, in hex, of the full address, if that may contain secrets. */
  readonly hash?: string
  /**
   * The length of a batch in characters, before compression: it ends with the event that exceeds
   * this. One batch of each destination is held in memory.
   */
  readonly longest: number
  readonly compressed: boolean
  /** Text before the first event of a batch. */
  readonly head: string
  /** An event as it is sent, including its terminator. */
  write(row: EventRow): string
  /**
   * Resolves when the other side has the batch for good. Rejects with a `DeliveryFailure` for known
   * failures. Gives up at `signal`.
   */
  deliver(batch: Batch, signal: AbortSignal): Promise<void>
}

/** Events of the log from index `first` up to and without `end`. */
export interface Batch {
  /**
   * The same for the same events of the same log, and for no others, because it ends with a part of
   * the log's root at that size.
   */
  readonly name: string
  readonly first: number
  readonly end: number
  readonly body: Buffer
  readonly manifest: Manifest
}

/**
 * The other side did not take the batch. The message is shown to administrators, and has no
 * secrets.
 */
export class DeliveryFailure extends Error {
  /** Milliseconds for which the other side asks for a pause. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    { retryAfterMs, cause }: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.name = 'DeliveryFailure'
    this.retryAfterMs = retryAfterMs
  }
}
