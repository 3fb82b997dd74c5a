import type { EventRow } from '../exported.ts'
import type { Manifest } from '../export/manifest.ts'

/**
 * Where the log is delivered to, as it grows. What it is told to deliver is durable and signed
 * already, comes in the order of the log, and may be a repetition: of the same events, under the
 * same name, by this replica or another one that died.
 */
export interface Destination {
  /** For people, without secrets. */
  readonly to: string
  /** Of where that is in full, where that can have secrets in it: SHA-256, in hex. */
  readonly hash?: string
  /**
   * In characters, before they are compressed: a batch ends with the event that goes beyond. Memory
   * holds one batch of each destination.
   */
  readonly longest: number
  readonly compressed: boolean
  /** What comes before the first event of a batch. */
  readonly head: string
  /** An event as it is sent, with whatever ends it. */
  write(row: EventRow): string
  /**
   * Resolves when the other side has it for good. Rejects with `DeliveryFailure` for what is known
   * to go wrong there. Gives up at `signal`.
   */
  deliver(batch: Batch, signal: AbortSignal): Promise<void>
}

/** Events of the log from `first` on, up to `end`. */
export interface Batch {
  /**
   * Of the same events of the same log it is the same, and of no others: the end of it is from the
   * root that the log had then.
   */
  readonly name: string
  readonly first: number
  readonly end: number
  readonly body: Buffer
  readonly manifest: Manifest
}

/**
 * The other side did not take it. The message is shown to administrators: words, without secrets.
 */
export class DeliveryFailure extends Error {
  /** Milliseconds that the other side asks to be left alone. */
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
