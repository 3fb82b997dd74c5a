import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { buildWords } from './build-words.ts'

/** Milliseconds between two looks, and between two looks for words of events that are gone. */
const buildEvery = 2_000
const forgetEvery = 60 * 60_000

/**
 * Keeps the words that searches look things up by, a little behind the log. Every replica tries;
 * one at a time does.
 */
export class WordBuilder {
  readonly #store: Store
  readonly #log: Log
  readonly #timers: readonly NodeJS.Timeout[]
  // Owned by build().
  #running: Promise<void> | null = null
  #closed = false

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
    this.#timers = [
      setInterval(() => void this.build(), buildEvery).unref(),
      setInterval(() => void this.#forget(), forgetEvery).unref(),
    ]
  }

  /**
   * Builds what there is to build. Never rejects: what has no words yet is looked through by
   * searches.
   */
  build(): Promise<void> {
    this.#running ??= this.#build().finally(() => (this.#running = null))
    return this.#running
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#closed = true
    await this.#running
  }

  async #build(): Promise<void> {
    try {
      while (!this.#closed && (await buildWords(this.#store, undefined, this.#onUnreadable)));
    } catch (error) {
      this.#log.warn({ err: error }, 'the words of the audit log are late; trying again')
    }
  }

  readonly #onUnreadable = (event: string) =>
    this.#log.error(
      { event },
      'an event of the audit log cannot be read: somebody put something else in its place',
    )

  /** Months that were taken out of the database take their words along. */
  async #forget(): Promise<void> {
    try {
      await this.#store.query(
        `DELETE FROM sallyport.audit_words
          WHERE hi < (SELECT id FROM sallyport.audit_events ORDER BY id LIMIT 1)`,
      )
    } catch (error) {
      this.#log.warn({ err: error }, 'words of months that are gone are still there')
    }
  }
}
