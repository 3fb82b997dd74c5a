import type { EventInput } from '../core/event.ts'
import type { Queryable } from '../store/db.ts'

/**
 * Where `identity` writes its audit events. The composition root passes the audit log in.
 * `identity` does not import it, so that audit rows are written in one place only.
 */
export interface Recorder {
  /** Resolves when the event is durable; rejects with `store-unavailable`. */
  append(event: EventInput): Promise<void>
  /** In the caller's transaction: durable when that commits. */
  write(tx: Queryable, event: EventInput): Promise<void>
  /** To be called after a transaction with `write` has committed. */
  linkWritten(): void
}
