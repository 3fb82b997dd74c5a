import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventInput } from '../core/event.ts'
import type { Queryable, Store } from '../store/db.ts'
import { isSuperseded } from '../store/generation.ts'
import type { Epoch, Lease } from '../store/lease.ts'
import type { Log } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { ChainWriter } from './chain-writer.ts'
import { DatabaseClock } from './clock.ts'
import { Company } from './company.ts'
import { describe, type Described } from './event.ts'
import { provideMonths } from './months.ts'
import { Queue, unavailable } from './queue.ts'
import { buryEpoch } from './reconcile.ts'
import { insertUnlinked, readClock } from './rows.ts'
import { Unlinked } from './unlinked.ts'

/**
 * Milliseconds between two looks at waiting appends that may have run out of patience, at unlinked
 * events, and at months to come.
 */
const watchEvery = 250
const sweepEvery = 2_000
const monthsEvery = 24 * 60 * 60_000

interface AuditContext {
  readonly store: Store
  readonly lease: Lease
  readonly log: Log
  /** Counts events that become durable. */
  readonly metrics?: Metrics
  /** Milliseconds that an append waits for the store. */
  readonly patienceMs?: number
}

/** Opens the log of this replica. Rejects with a `StoreError`. */
export async function openAuditLog(context: AuditContext): Promise<AuditLog> {
  await provideMonths(context.store)
  const clock = new DatabaseClock()
  const asked = performance.now()
  clock.correct(await readClock(context.store), asked)
  return new AuditLog(context, clock)
}

/**
 * The audit log, and the one place where its rows are made. Many appends share a transaction: the
 * next one starts as soon as the last one is durable, with everything that has come in meanwhile.
 */
export class AuditLog {
  readonly #store: Store
  readonly #lease: Lease
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #clock: DatabaseClock
  readonly #writer: ChainWriter
  readonly #patienceMs: number
  readonly #over = new AbortController()
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #queue = new Queue((input, error) => this.#count(input, error))
  readonly #unlinked: Unlinked
  readonly #company = new Company()
  // Owned by #wake() and #pump().
  #pumping: Promise<void> | null = null
  // Owned by close().
  #closed = false

  constructor(
    { store, lease, log, metrics = new Metrics(), patienceMs = 4_000 }: AuditContext,
    clock: DatabaseClock,
  ) {
    this.#patienceMs = patienceMs
    this.#store = store
    this.#lease = lease
    this.#log = log
    this.#metrics = metrics
    this.#clock = clock
    this.#unlinked = new Unlinked({ store, replica: lease.replica, log, metrics })
    const more = () => this.#queue.awaited
    this.#writer = new ChainWriter({ store, lease, clock, log, metrics, more })
    this.#timers = [
      setInterval(() => this.#queue.giveUp(patienceMs), watchEvery).unref(),
      setInterval(() => this.linkWritten(), sweepEvery).unref(),
      setInterval(() => this.#provideMonths(), monthsEvery).unref(),
    ]
  }

  /**
   * Resolves when the event and its link are durable. Rejects with the problem `store-unavailable`
   * when they are not after a few seconds (they may still become so, which then looks like an
   * intent that nothing followed), and with `bad-request` for what cannot be recorded. `under` is
   * the generation of the policies that decided it: the event becomes durable only while that is in
   * force, and otherwise rejects with an error for which `isSuperseded` is true.
   */
  append(input: EventInput, under: number | null = null): Promise<void> {
    return this.#append(() => this.#describe(input), under, true)
  }

  /**
   * For events that have happened already, so that nothing waits for them. They share the
   * transaction of the next event that is waited for, or go alone after a few milliseconds, so an
   * agent that sends one request after another waits for one commit each, not two.
   *
   * Returns a function that tries to append the event. All tries are of the same event: one that
   * was given up may become durable after all, and the next try finds it.
   */
  soon(input: EventInput): () => Promise<void> {
    let described: Described | null = null
    return () => this.#append(() => (described ??= this.#describe(input)), null, false)
  }

  /**
   * Writes an event in its caller's transaction, so that both are durable together or not at all.
   * Call `linkWritten` after the commit.
   */
  async write(tx: Queryable, input: EventInput): Promise<void> {
    await insertUnlinked(tx, [this.#describe(input)])
  }

  /** Has events linked soon that were written and committed. A missed call only delays that. */
  linkWritten(): void {
    this.#unlinked.want()
    this.#wake()
  }

  /**
   * Ends the record of a dead epoch (see `deadEpochs`). Resolves to the ids of the actions whose
   * outcomes are `unknown` because of it.
   */
  async bury(dead: Epoch): Promise<string[]> {
    const lost = await buryEpoch(this.#store, dead, (input) => this.#describe(input))
    this.linkWritten()
    return lost
  }

  /** How many events wait to be written. */
  get waiting(): number {
    return this.#queue.length
  }

  /** The database's clock as estimated here, in milliseconds since 1970. */
  now(): number {
    return this.#clock.now()
  }

  /** Takes no more events, and writes those that wait, with the patience of an append. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    if (!this.#closed) this.linkWritten()
    this.#closed = true
    const deadline = setTimeout(() => this.#giveUp(), this.#patienceMs)
    await this.#pumping
    clearTimeout(deadline)
  }

  #provideMonths(): void {
    provideMonths(this.#store).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'partitions of months to come are not made yet')
    })
  }

  #giveUp(): void {
    this.#over.abort()
    this.#queue.giveUp(0)
  }

  #describe(input: EventInput): Described {
    const { replica, epoch } = this.#lease
    return describe(input, { replica, epoch }, this.#clock.now())
  }

  /** Not async: this runs for each event, and one promise is enough. */
  #append(described: () => Described, under: number | null, awaited: boolean): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable())
    try {
      const durable = this.#queue.add(described(), under, awaited)
      this.#wake()
      return durable
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Catches everything, because a defect in counting must not hold up others of the same batch. */
  #count(input: EventInput, error: unknown): void {
    try {
      if (error === undefined) this.#metrics.recorded(input)
      else if (!isSuperseded(error)) this.#metrics.notRecorded()
    } catch (failure) {
      this.#log.error({ err: failure, type: input.type }, 'an event could not be counted')
    }
  }

  #wake(): void {
    this.#pumping ??= this.#pump()
    if (this.#urgent) this.#company.hurry()
  }

  get #urgent(): boolean {
    return this.#queue.awaited || this.#unlinked.wanted
  }

  async #pump(): Promise<void> {
    // Gathers all events of this turn of the event loop.
    await nextTurn()
    while (!this.#queue.empty || this.#unlinked.wanted) {
      if (!this.#urgent) await this.#company.wait()
      const unlinked = await this.#unlinked.take()
      await this.#writer.write([...unlinked, ...this.#queue.take()], this.#over.signal)
    }
    this.#pumping = null
  }
}
