import type { Settings } from './settings.ts'
import type { Analysis, Statement } from './sql/statement.ts'
import { changesMeaning, changesRows } from './statement-kinds.ts'

/** How far a session has come: everything outside a message that decides what it means. */
export class Course {
  readonly #settings: Settings
  #segment = 0
  #ran = false
  #changes = 0
  #settingsChanged = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /**
   * Counts the segments that Syncs and Queries delimit. Within a segment, an error skips what
   * follows.
   */
  get segment(): number {
    return this.#segment
  }

  /** Whether a run has begun in this segment: its transaction keeps its locks until the Sync. */
  get ran(): boolean {
    return this.#ran
  }

  /** Counts whatever may change what a name means, of a table or of a prepared statement. */
  get changes(): number {
    return this.#changes
  }

  /** Counts changes of settings that may make tables show other rows. */
  get settingsChanged(): number {
    return this.#settingsChanged
  }

  /** A Query, or what is sent in its place. No earlier error makes the server skip it. */
  nextSegment(): void {
    this.#segment += 1
  }

  /** A Query or a Sync is on its way, and ends what ran outside a transaction block. */
  ended(): void {
    this.#segment += 1
    this.#ran = false
  }

  /** A prepared statement or a cursor gets or loses a name. */
  renamed(): void {
    this.#changes += 1
  }

  /** A text is on its way to the server, either to run or to make a portal. */
  forwarded({ statements, unreadable }: Analysis): void {
    this.#changed(statements)
    if (!unreadable) return
    this.#settings.forwardedUnread(this.#segment)
    this.#changes += 1
  }

  /** The statements of a portal run now. */
  executed(statements: readonly Statement[]): void {
    this.#ran = true
    this.#changed(statements)
  }

  #changed(statements: readonly Statement[]): void {
    this.#settings.forwarded(statements, this.#segment)
    if (statements.some(changesMeaning)) this.#changes += 1
    if (statements.some(changesRows)) this.#settingsChanged += 1
  }
}
