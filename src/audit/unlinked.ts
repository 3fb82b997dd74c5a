import type { Store } from '../store/db.ts'
import type { Counted } from '../telemetry/count-events.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Item } from './chain-writer.ts'
import { findUnlinked } from './rows.ts'

const mostAtOnce = 500

interface UnlinkedDeps {
  readonly store: Store
  /** Whose events they are; those of dead replicas are everybody's. */
  readonly replica: string
  readonly log: Log
  readonly metrics: Metrics
}

/** Events that were written in the transactions of others, and are durable, but in no chain yet. */
export class Unlinked {
  readonly #deps: UnlinkedDeps
  // At first, for what was left behind.
  #wanted = true

  constructor(deps: UnlinkedDeps) {
    this.#deps = deps
  }

  /** Whether there may be some. */
  get wanted(): boolean {
    return this.#wanted
  }

  want(): void {
    this.#wanted = true
  }

  /** What goes into the chain next; nothing where nobody wants it. */
  async take(): Promise<Item[]> {
    if (!this.#wanted) return []
    this.#wanted = false
    const { store, replica, log } = this.#deps
    try {
      const found = await findUnlinked(store, replica, mostAtOnce)
      this.#wanted = found.length === mostAtOnce
      return found.map(({ id, body }) => ({
        id,
        body,
        described: null,
        under: null,
        abandoned: false,
        settle: (error) => this.#settled(id, body, error),
      }))
    } catch (error) {
      // They are durable, and stay on the list: the sweep asks again.
      log.warn({ err: error }, 'unlinked events could not be read')
      return []
    }
  }

  #settled(id: string, body: string, error: unknown): void {
    const { log, metrics } = this.#deps
    if (error !== undefined) {
      log.error({ err: error, event: id }, 'an event cannot be linked')
      return
    }
    try {
      metrics.recorded(JSON.parse(body) as Counted)
    } catch (failure) {
      log.error({ err: failure, event: id }, 'what was linked is not what was written')
    }
  }
}
