import type { Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { countNext } from './project.ts'

/** Milliseconds between two looks at the log. */
const turnEvery = 1_000

/**
 * Keeps the counts up to date with the transparency log. Every replica tries, and one at a time
 * succeeds.
 */
export class UsageProjector {
  readonly #store: Store
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  // Owned by turn().
  #running: Promise<void> | null = null
  // Owned by close().
  #closed = false

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
    this.#timer = setInterval(() => void this.turn(), turnEvery)
  }

  /**
   * Counts everything that is in the log by now. Never rejects: what is not counted yet stays next
   * in line.
   */
  turn(): Promise<void> {
    this.#running ??= this.#turn().finally(() => (this.#running = null))
    return this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running
  }

  readonly #onUnreadable = (event: string) =>
    this.#log.error(
      { event },
      'an event of the audit log cannot be read: it is counted nowhere, and budgets that would count it deny',
    )

  async #turn(): Promise<void> {
    try {
      while (!this.#closed && (await countNext(this.#store, this.#onUnreadable)));
    } catch (error) {
      // Closed: budgets do not rely on the counts alone, but add what the log has beyond them.
      this.#log.warn({ err: error }, 'the usage is not counted yet; trying again')
    }
  }
}
