import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Problem } from '../core/errors.ts'
import type { EventInput } from '../core/event.ts'
import { StoreError, type Queryable, type Store } from '../store/db.ts'
import type { Epoch, Lease } from '../store/lease.ts'
import type { Log } from '../telemetry/log.ts'
import { ChainWriter, type Item } from './chain-writer.ts'
import { DatabaseClock } from './clock.ts'
import { describe, type Described } from './event.ts'
import { buryEpoch } from './reconcile.ts'
import { findUnlinked, insertEvent, readClock } from './rows.ts'

interface Waiting extends Item {
  /** On the monotonic clock. */
  readonly since: number
  readonly size: number
}

/** In milliseconds: how long an append waits for the store, how often that is looked at, and how often the unlinked events are. */
const patience = 4_000
const watchEvery = 250
const sweepEvery = 2_000
/** Events, and characters of them. Beyond what may wait, the store is as good as away. */
const mostWaiting = { events: 20_000, size: 64 * 1024 * 1024 }
const mostAtOnce = { events: 500, size: 4 * 1024 * 1024 }

interface AuditContext {
  readonly store: Store
  readonly lease: Lease
  readonly log: Log
}

/** Rejects with `StoreError`. */
export async function openAuditLog(context: AuditContext): Promise<AuditLog> {
  const clock = new DatabaseClock()
  const asked = performance.now()
  clock.correct(await readClock(context.store), asked)
  return new AuditLog(context, clock)
}

/**
 * The audit log, and the one place where its rows are made. Many appends share a transaction: the next one starts as soon as the last one is
 * durable, with what has come together meanwhile.
 */
export class AuditLog {
  readonly #store: Store
  readonly #lease: Lease
  readonly #log: Log
  readonly #clock: DatabaseClock
  readonly #writer: ChainWriter
  readonly #over = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]
  // Owned by append(), #take() and #giveUp(): in the order of arrival, and the sum of their sizes.
  #waiting: Waiting[] = []
  #size = 0
  // Owned by #pump(): what is being written now.
  #underway: readonly Waiting[] = []
  #pumping: Promise<void> | null = null
  #linkWanted = true
  // Owned by close().
  #closed = false

  constructor({ store, lease, log }: AuditContext, clock: DatabaseClock) {
    this.#store = store
    this.#lease = lease
    this.#log = log
    this.#clock = clock
    this.#writer = new ChainWriter(store, lease, clock, log)
    this.#timers = [
      setInterval(() => this.#giveUp(patience), watchEvery).unref(),
      setInterval(() => this.linkWritten(), sweepEvery).unref(),
    ]
  }

  /**
   * Resolves when the event and its link are durable. Rejects with the problem `store-unavailable` when they are not after a few seconds (they may become
   * so later, which then looks like an intent that nothing followed from), and with `bad-request` for what cannot be recorded.
   */
  async append(input: EventInput): Promise<void> {
    if (
      this.#closed ||
      this.#waiting.length >= mostWaiting.events ||
      this.#size >= mostWaiting.size
    ) {
      throw unavailable()
    }
    const described = this.#describe(input)
    const { id, body, personal } = described
    const size = body.length + (personal?.body.length ?? 0)
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({
        id,
        body,
        described,
        since: performance.now(),
        size,
        abandoned: false,
        settle: (error) => (error === undefined ? resolve() : reject(asProblem(error))),
      })
      this.#size += size
      this.#wake()
    })
  }

  /** Writes an event in its caller's transaction: both are durable together, or neither is. Call `linkWritten` after the commit. */
  async write(tx: Queryable, input: EventInput): Promise<void> {
    await insertEvent(tx, this.#describe(input))
  }

  /** Links what was written and has been committed, soon. Forgetting to call it, or dying before, only delays that. */
  linkWritten(): void {
    this.#linkWanted = true
    this.#wake()
  }

  /** Ends the record of a dead epoch (see `deadEpochs`). Resolves to the ids of the actions whose outcome is `unknown` for that. */
  async bury(dead: Epoch): Promise<string[]> {
    const lost = await buryEpoch(this.#store, dead, (input) => this.#describe(input))
    this.linkWritten()
    return lost
  }

  /** The database's clock, as far as it can be known here, in milliseconds since the epoch. */
  now(): number {
    return this.#clock.now()
  }

  /** Writes what is waiting, for a few seconds at most, and takes nothing more. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    if (!this.#closed) this.linkWritten()
    this.#closed = true
    const deadline = setTimeout(() => this.#giveUp(0), patience)
    await this.#pumping
    clearTimeout(deadline)
    this.#over.abort()
  }

  #describe(input: EventInput): Described {
    const { replica, epoch } = this.#lease
    return describe(input, { replica, epoch }, this.#clock.time())
  }

  #wake(): void {
    this.#pumping ??= this.#pump()
  }

  async #pump(): Promise<void> {
    // What this turn of the event loop brings goes together.
    await nextTurn()
    while (this.#waiting.length > 0 || this.#linkWanted) {
      const unlinked = await this.#unlinked()
      this.#underway = this.#take()
      await this.#writer.write([...unlinked, ...this.#underway], this.#over.signal)
      this.#underway = []
    }
    this.#pumping = null
  }

  #take(): readonly Waiting[] {
    let count = 0
    let size = 0
    while (count < this.#waiting.length && count < mostAtOnce.events && size < mostAtOnce.size) {
      size += this.#waiting[count++]!.size
    }
    this.#size -= size
    return this.#waiting.splice(0, count)
  }

  async #unlinked(): Promise<Item[]> {
    if (!this.#linkWanted) return []
    this.#linkWanted = false
    try {
      const found = await findUnlinked(this.#store, this.#lease.replica, mostAtOnce.events)
      this.#linkWanted = found.length === mostAtOnce.events
      return found.map(({ id, body }) => ({
        id,
        body,
        described: null,
        abandoned: false,
        settle: (error) => error && this.#log.error({ err: error, event: id }, 'cannot be linked'),
      }))
    } catch (error) {
      // They are durable, and stay on the list: the sweep asks again.
      this.#log.warn({ err: error }, 'unlinked events could not be read')
      return []
    }
  }

  /** Closed: whoever waits too long is told that there is no record, and does not act. */
  #giveUp(patienceMs: number): void {
    const since = performance.now() - patienceMs
    for (const item of [...this.#underway, ...this.#waiting]) {
      if (item.since > since) break
      item.abandoned = true
      item.settle(unavailable())
    }
    const fresh = this.#waiting.findIndex(({ abandoned }) => !abandoned)
    const gone = this.#waiting.splice(0, fresh === -1 ? Infinity : fresh)
    for (const { size } of gone) this.#size -= size
  }
}

function unavailable(cause?: unknown): Problem {
  const detail = 'The audit store does not answer, so nothing runs. Try again when it is back.'
  return new Problem('store-unavailable', detail, {}, { cause })
}

function asProblem(error: unknown): unknown {
  return error instanceof StoreError && error.ambiguous ? unavailable(error) : error
}
