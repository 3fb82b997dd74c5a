import { Problem } from '../../core/errors.ts'
import type { Running } from '../../gate/still-allowed.ts'
import type { Log } from '../../telemetry/log.ts'

/**
 * Milliseconds between two checks of everything that runs. The end of a credential, an approval or
 * a rule ends what it allowed after little more than this.
 */
const period = 1_000

interface Live {
  readonly running: Running
  readonly end: (why: Problem) => void
}

/**
 * Has a running action checked from now on. `end` is called when it may not go on. Returns a
 * function to call when it has ended.
 */
export type Watch = (how: Pick<Running, 'endless'>, end: (why: Problem) => void) => () => void

/**
 * Actions that go on after their beginning was released: answers that take a while, and WebSockets.
 * The gate is asked about each of them again and again.
 */
export class LiveExchanges {
  readonly #whyEnded: (running: Running) => Promise<Problem | null>
  readonly #log: Log
  readonly #live = new Set<Live>()
  readonly #timer: NodeJS.Timeout
  // Owned by #look(): one round at a time, and none are queued up while the store is slow.
  #looking = false

  constructor(whyEnded: (running: Running) => Promise<Problem | null>, log: Log) {
    this.#whyEnded = whyEnded
    this.#log = log
    this.#timer = setInterval(() => void this.#look(), period).unref()
  }

  /** `end` is called when it may not go on. Returns a function to call when it has ended. */
  add(running: Running, end: (why: Problem) => void): () => void {
    const live = { running, end }
    this.#live.add(live)
    return () => void this.#live.delete(live)
  }

  /** Ends everything that has no end of its own, which nobody could wait for. */
  stop(): void {
    const stopping = new Problem('store-unavailable', 'This gateway stops. Connect again.')
    for (const { running, end } of this.#live) if (running.endless) end(stopping)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    for (const live of [...this.#live]) {
      try {
        const why = await this.#whyEnded(live.running)
        if (why && this.#live.has(live)) live.end(why)
      } catch (error) {
        this.#log.error({ err: error }, 'whether something may go on could not be decided')
        // Closed: a defect of ours must not keep anything open.
        live.end(new Problem('internal-error', 'Sallyport failed, and ended this.'))
      }
    }
    this.#looking = false
  }
}
