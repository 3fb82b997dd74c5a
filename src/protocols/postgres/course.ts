import type { Settings } from './settings.ts'
import type { Analysis, Statement } from './sql/statement.ts'
import { changesMeaning, changesRows } from './statement-kinds.ts'

/** How far a session has come: what its next message depends on, besides what it says. */
export class Course {
  readonly #settings: Settings
  #segment = 0
  #ran = false
  #changes = 0
  #settingsChanged = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Counts stretches between Syncs and Queries: within one, an error skips what follows it. */
  get segment(): number {
    return this.#segment
  }

  /** Whether a run has begun in this segment: its transaction keeps its locks until the Sync. */
  get ran(): boolean {
    return this.#ran
  }

  /** Counts what may give names another meaning, of tables or of prepared statements. */
  get changes(): number {
    return this.#changes
  }

  /** Counts changes of settings by which tables may show other rows. */
  get settingsChanged(): number {
    return this.#settingsChanged
  }

  /** A Query, or what is sent in its place: nothing before it makes the server skip it. */
  nextSegment(): void {
    this.#segment += 1
  }

  /** A Query or a Sync is on its way: what has run outside of a transaction block ends with it. */
  ended(): void {
    this.#segment += 1
    this.#ran = false
  }

  /** A prepared statement or a cursor gets a name, or loses it. */
  renamed(): void {
    this.#changes += 1
  }

  /** A text is on its way to the server, whole or as what a portal is made of. */
  forwarded({ statements, unreadable }: Analysis): void {
    this.#changed(statements)
    if (!unreadable) return
    this.#settings.forwardedUnread(this.#segment)
    this.#changes += 1
  }

  /** What a portal was made of is to run now. */
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
