import type { Place } from '../chain.ts'

/** What can be wrong with a line of an export. */
export type FindingKind =
  /** Not a line of an export: not JSON, or not in the form that an export has, byte for byte. */
  | 'unreadable'
  /** Event, place and hashes do not belong together. */
  | 'edited'
  /** The personal part is not the one that the event committed to. */
  | 'personal-edited'
  /** The link is there, and its event is not, and no record says where it is kept. */
  | 'event-missing'
  /** Events that a record of the log says are kept elsewhere. Nothing is wrong. */
  | 'retained'
  /** Links that belong before this line, and are nowhere. */
  | 'missing'
  /** The same link again. */
  | 'duplicate'
  /** In the wrong place. */
  | 'reordered'
  /** A second link for one place, or one that does not follow from the link before it. */
  | 'forked'
  /** No key that is trusted has signed it. */
  | 'unsigned'
  /** The lines agree with each other, and are not those of the log that was signed. */
  | 'not-the-log'
  /** What was signed earlier is not the beginning of it. */
  | 'rewritten'
  /**
   * Earlier than an event before it, by more than clocks and transactions explain. The chain itself
   * is in order.
   */
  | 'time-reversal'

export interface Finding {
  readonly kind: FindingKind
  /** From 1, in the export. */
  readonly line: number
  readonly message: string
  /** As far as the line can be believed. */
  readonly place?: Place
  readonly event?: string
}
