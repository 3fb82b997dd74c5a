import { Problem } from '../../core/errors.ts'
import type { Running } from '../../gate/still-allowed.ts'
import type { Log } from '../../telemetry/log.ts'

/**
 * Milliseconds between two questions about everything that runs. A credential, an approval and a
 * rule end what they opened within this, and a little.
 */
const period = 1_000

interface Live {
  readonly running: Running
  readonly end: (why: Problem) => void
}

/**
 * Has what runs looked at from now on. `end` is called when it may not go on; the result is to be
 * called when it has ended.
 */
export type Watch = (how: Pick<Running, 'endless'>, end: (why: Problem) => void) => () => void

/**
 * What goes on after its beginning was released: answers that do not come all at once, and
 * WebSockets. The gate is asked about each of them again and again.
 */
export class LiveExchanges {
  readonly #whyEnded: (running: Running) => Promise<Problem | null>
  readonly #log: Log
  readonly #live = new Set<Live>()
  readonly #timer: NodeJS.Timeout
  // Owned by #look(): one turn at a time; while the store is slow, turns are left out.
  #looking = false

  constructor(whyEnded: (running: Running) => Promise<Problem | null>, log: Log) {
    this.#whyEnded = whyEnded
    this.#log = log
    this.#timer = setInterval(() => void this.#look(), period).unref()
  }

  /** `end` is called when it may not go on. The result is to be called when it has ended. */
  add(running: Running, end: (why: Problem) => void): () => void {
    const live = { running, end }
    this.#live.add(live)
    return () => void this.#live.delete(live)
  }

  /** Ends what has no end of its own: nobody could wait for it. */
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
        // Closed: a defect of ours must not keep it open.
        live.end(new Problem('internal-error', 'Sallyport failed, and ended this.'))
      }
    }
    this.#looking = false
  }
}
