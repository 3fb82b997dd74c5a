import type { EventInput } from '../core/event.ts'
import type { Queryable } from '../store/db.ts'

/**
 * Where identity puts its events. The composition root passes the audit log in: identity does not
 * know it, so that audit rows are written in one place.
 */
export interface Recorder {
  /** Resolves when the event is durable; rejects with `store-unavailable`. */
  append(event: EventInput): Promise<void>
  /** In the caller's transaction: durable when that commits. */
  write(tx: Queryable, event: EventInput): Promise<void>
  /** To be called after such a commit. */
  linkWritten(): void
}
