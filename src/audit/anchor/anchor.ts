import { Attempts } from '../../core/try-again.ts'
import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { readCheckpoint } from '../log/checkpoints.ts'
import type { Keeper } from './keeper.ts'
import type { Witness } from './witness.ts'

export interface AnchorOptions {
  readonly keeper: Keeper
  /** In milliseconds: at most one checkpoint in this time. */
  readonly every: number
  /** Cosigns what is kept. */
  readonly witness: Witness | null
  readonly store: Store
  readonly log: Log
}

/** In milliseconds. */
const patience = 15_000
const tooLate = (): Error => new Error('the place did not answer in time')

/**
 * Keeps checkpoints of the log where whoever changes the database does not reach them. It takes the
 * newest that there is, and is never waited for: what cannot be kept is logged, and a newer one is
 * tried later.
 */
export class Anchor {
  readonly #options: AnchorOptions
  // Owned by grown(), #schedule() and #keep().
  #due = false
  #keptSize = -1
  #nextAt = -Infinity
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #over = false
  readonly #attempts = new Attempts()

  constructor(options: AnchorOptions) {
    this.#options = options
  }

  /**
   * A checkpoint of so many events is kept by now. A log that has not grown is not anchored again.
   */
  grown(size: number): void {
    if (size <= this.#keptSize) return
    this.#due = true
    this.#schedule()
  }

  /** Keeps the newest one, if it can. */
  async close(): Promise<void> {
    this.#over = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
    await this.#keep()
  }

  #schedule(): void {
    if (this.#over || this.#timer || this.#running || !this.#due) return
    const wait = Math.max(0, this.#nextAt - performance.now())
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#running = this.#keep().finally(() => {
        this.#running = null
        this.#schedule()
      })
    }, wait)
  }

  /** Never rejects. */
  async #keep(): Promise<void> {
    const { keeper, every, witness, store, log } = this.#options
    if (!this.#due) return
    this.#nextAt = performance.now() + Math.max(every, 1_000)
    this.#due = false
    try {
      // Another replica may have signed a newer one meanwhile, and a witness cosigns none that is
      // older.
      const checkpoint = await readCheckpoint(store)
      if (!checkpoint || checkpoint.size <= this.#keptSize) return
      const note = witness ? await witness.cosign(checkpoint) : checkpoint.note
      const signal = AbortSignal.timeout(patience)
      await this.#attempts.make(() => keeper.keep(note, checkpoint.size), signal, tooLate)
      this.#keptSize = checkpoint.size
    } catch (error) {
      this.#due = true
      const { place } = keeper
      log.warn({ err: error, place }, 'a checkpoint of the audit log could not be anchored')
    }
  }
}
