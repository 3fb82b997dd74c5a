import type { Outcome } from '../../core/event.ts'
import type { Permit } from '../../gate/permit.ts'
import type { Report } from './wire/messages.ts'

/** Milliseconds for which one look at a running action is good enough. */
const fresh = 1_000

/** A permitted action on its way through the server. */
export class Run {
  readonly permit: Permit
  /** Rows that came back or were changed, and bytes that came back or went in with a COPY. */
  rows = 0
  bytes = 0
  /** Whether an Execute has gone out, so that it is more than planned. Owned by begin(). */
  started = false
  /**
   * How often the session had changed its settings when the run began or was last looked at. Owned
   * by begin() and lookedAt().
   */
  settings = 0
  /** Whether a statement of the run itself has committed, or rolled back, part of it. */
  committed = false
  rolledBack = false
  /**
   * Whether its record is durable, so that the server's answer may go to the client. Owned by the
   * session.
   */
  released: boolean
  /** Why it may not run after all, although it was permitted. */
  refused: Report | null = null
  /**
   * Computes what the action is bound to as things are now, `null` once it is taken back. There is
   * nothing to compute unless people have approved it.
   */
  readonly digestNow: (() => Promise<string | null>) | null
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
   * Whether the run has to be checked before it begins or goes on. Time may have passed since the
   * permit, because the client chooses when to execute what it has bound, to fetch from a cursor,
   * or to send a row to copy.
   */
  get isInDoubt(): boolean {
    if (this.refused !== null || performance.now() - this.#looked > fresh) return true
    return !this.started && (this.digestNow !== null || !isHeld(this.permit))
  }

  /** `settings`: how often the session has changed its settings so far. */
  begin(settings: number): void {
    if (!this.started) this.settings = settings
    this.started = true
  }

  /**
   * Whether the session's settings have changed since people approved this run. Its remaining rows
   * may then be others than they approved, since policies of tables read settings (`app.tenant`).
   */
  isApprovedBefore(settings: number): boolean {
    return this.digestNow !== null && this.started && this.settings !== settings
  }

  lookedAt(settings: number): void {
    this.settings = settings
    this.#looked = performance.now()
  }

  /** Records the outcome; only the first call counts. `error`: why it did not succeed. */
  finish(result: Outcome['result'], error?: string): void {
    const duration_ms = Math.round(performance.now() - this.#begun)
    const { rows, bytes } = this
    // Not awaited: the gate makes sure that the outcome is recorded.
    void this.permit.complete({ result, rows, bytes, duration_ms, ...(error && { error }) })
  }
}

/**
 * Closed: if other replicas may take this one for dead, one of them may have recorded that the
 * action never ran.
 */
function isHeld(permit: Permit): boolean {
  try {
    permit.assertHeld()
    return true
  } catch {
    return false
  }
}
