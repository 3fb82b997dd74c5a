import { Attempts } from '../../core/try-again.ts'
import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { readCheckpoint } from '../log/checkpoints.ts'
import type { Keeper } from './keeper.ts'
import type { Witness } from './witness.ts'

export interface AnchorOptions {
  readonly keeper: Keeper
  /** Milliseconds in which at most one checkpoint is kept. */
  readonly every: number
  /** The witness that cosigns what is kept, if any. */
  readonly witness: Witness | null
  readonly store: Store
  readonly log: Log
}

/** Milliseconds that keeping one checkpoint may take. */
const patience = 15_000
const tooLate = (): Error => new Error('the place did not answer in time')

/**
 * Keeps checkpoints of the log out of reach of whoever can change the database. It takes the newest
 * one, and nothing waits for it: a failure is logged, and a newer checkpoint is tried later.
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
   * The log has a checkpoint over `size` events now. A log that has not grown is not anchored
   * again.
   */
  grown(size: number): void {
    if (size <= this.#keptSize) return
    this.#due = true
    this.#schedule()
  }

  /** Keeps the newest checkpoint if it can, and stops. */
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
      // Another replica may have signed a newer one meanwhile, and a witness refuses to cosign an
      // older one.
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
