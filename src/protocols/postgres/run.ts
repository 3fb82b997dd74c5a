import type { Outcome } from '../../core/event.ts'
import type { Permit } from '../../gate/permit.ts'
import type { Report } from './wire/messages.ts'

/** Milliseconds for which it is enough to have looked at what goes on. */
const fresh = 1_000

/** A permitted action on its way through the server. */
export class Run {
  readonly permit: Permit
  /** Rows and bytes that came back, or rows that were changed; bytes that went in with a COPY. */
  rows = 0
  bytes = 0
  /** It was not only planned: an Execute has gone out. Owned by begin(). */
  started = false
  /**
   * How often the session had changed its settings when it began, or was looked at last. Owned by
   * begin() and lookedAt().
   */
  settings = 0
  /** A part of it has been committed, or rolled back, by a statement of its own. */
  committed = false
  rolledBack = false
  /**
   * Its record is durable: what the server says to it may go to the client. Owned by the session.
   */
  released: boolean
  /** Why it never runs, although it was permitted. */
  refused: Report | null = null
  /** What the action is bound to as things are now, where people have approved it. */
  readonly digestNow: (() => Promise<string>) | null
  readonly #begun = performance.now()
  // Owned by lookedAt().
  #looked = this.#begun

  constructor(permit: Permit, digestNow: Run['digestNow'] = null) {
    this.permit = permit
    this.digestNow = digestNow
    this.released = !this.isRead
  }

  get isRead(): boolean {
    return this.permit.action.effect === 'read'
  }

  /**
   * Whether it has to be looked at before it begins, or goes on. The client chooses when it
   * executes what it has bound, fetches from a cursor, or sends a row to copy.
   */
  get isInDoubt(): boolean {
    if (this.refused !== null || performance.now() - this.#looked > fresh) return true
    return !this.started && (this.digestNow !== null || !isHeld(this.permit))
  }

  /** `settings`: how often the session has changed its settings. */
  begin(settings: number): void {
    if (!this.started) this.settings = settings
    this.started = true
  }

  /**
   * Whether people have approved what the rows that it gives from here on may not belong to:
   * policies of tables read settings (`app.tenant`).
   */
  isApprovedBefore(settings: number): boolean {
    return this.digestNow !== null && this.started && this.settings !== settings
  }

  lookedAt(settings: number): void {
    this.settings = settings
    this.#looked = performance.now()
  }

  /** The first call counts. `error`: why there is no good end. */
  finish(result: Outcome['result'], error?: string): void {
    const duration_ms = Math.round(performance.now() - this.#begun)
    const { rows, bytes } = this
    // Not waited for: the gate sees to it that it gets there.
    void this.permit.complete({ result, rows, bytes, duration_ms, ...(error && { error }) })
  }
}

/**
 * Closed: where this replica may be taken for dead, others may have written down that it never ran.
 */
function isHeld(permit: Permit): boolean {
  try {
    permit.assertHeld()
    return true
  } catch {
    return false
  }
}
