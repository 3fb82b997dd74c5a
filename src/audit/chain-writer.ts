import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError, type Store } from '../store/db.ts'
import { isSuperseded } from '../store/generation.ts'
import type { Epoch, Lease } from '../store/lease.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { genesis, leafHash, linkHash } from './chain.ts'
import type { DatabaseClock } from './clock.ts'
import type { Described } from './event.ts'
import { findConflict } from './links.ts'
import { insertBatch, type Batch } from './rows.ts'

/** An event on its way into the chain. */
export interface Item {
  readonly id: string
  /** The text that is hashed. */
  readonly body: string
  /** `null` when the row is in the database already and only its link is missing. */
  readonly described: Described | null
  /**
   * The generation of the policies that decided it, if something may follow from it; `null` if it
   * only reports.
   */
  readonly under: number | null
  /** Whether nobody waits for it any more. */
  abandoned: boolean
  /** Called without an error when event and link are durable. */
  settle(error?: unknown): void
}

interface ChainWriterInit {
  readonly store: Store
  readonly lease: Lease
  readonly clock: DatabaseClock
  readonly log: Log
  readonly metrics: Metrics
  /** Whether somebody waits for the next batch. */
  readonly more: () => boolean
}

const firstPause = 50
const longestPause = 1_000

/** Writes the chain of this replica, one batch at a time. Nobody else does. */
export class ChainWriter {
  readonly #store: Store
  readonly #lease: Lease
  readonly #clock: DatabaseClock
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #more: () => boolean
  // Owned by write(): the last link known to be durable.
  #head: { chain: Epoch; n: number; hash: string }

  constructor({ store, lease, clock, log, metrics, more }: ChainWriterInit) {
    this.#store = store
    this.#lease = lease
    this.#clock = clock
    this.#log = log
    this.#metrics = metrics
    this.#more = more
    this.#head = this.#newChain()
  }

  /** Writes and settles every item. Keeps trying while the store is away, until `signal` aborts. */
  async write(items: readonly Item[], signal: AbortSignal): Promise<void> {
    let rest = items
    // A batch whose answer was lost may still take effect. It is repeated unchanged until that is
    // known: ids and places are unique, so it takes effect once.
    let unanswered: Batch | null = null
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      if (!unanswered) rest = rest.filter(({ abandoned }) => !abandoned)
      if (rest.length === 0) return
      const batch: Batch = unanswered ?? this.#link(rest)
      try {
        if (await this.#insert(batch, rest)) return
        unanswered = null
        continue
      } catch (error) {
        const meaning = meaningOf(error)
        if (meaning === 'refused') return this.#divide(rest, error, signal)
        if (meaning === 'unanswered') unanswered = batch
        if (signal.aborted) return rest.forEach((item) => item.settle(error))
        this.#log.warn({ err: error, events: rest.length }, 'the audit store does not take events')
      }
      // Closing cuts it short, which rejects. The next round sees the signal, and settles what is
      // left with the error.
      await sleep(pause, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Links the items to the head, for a first attempt or a fresh one. */
  #link(items: readonly Item[]): Batch {
    if (this.#lease.epoch !== this.#head.chain.epoch) this.#head = this.#newChain()
    const { chain, n, hash } = this.#head
    let prev = hash
    const under = oldest(items)
    const events = items.map(({ id, body, described }, index) => {
      const leaf = leafHash(body)
      prev = linkHash({ ...chain, n: n + 1 + index }, prev, leaf)
      return { id, described, leaf, hash: prev }
    })
    return { chain, first: n + 1, prev: hash, events, under }
  }

  /**
   * Resolves to whether the batch is durable now. If not, the obstacle is gone, and it has to be
   * linked anew.
   */
  async #insert(batch: Batch, items: readonly Item[]): Promise<boolean> {
    const asked = performance.now()
    try {
      this.#clock.correct(await insertBatch(this.#store, batch), asked)
      this.#metrics.flushed(batch.events.length, performance.now() - asked)
    } catch (error) {
      const superseded = isSuperseded(error)
      const taken = error instanceof StoreError && error.code === uniqueViolation
      if (!superseded && !taken) throw error
      const conflict = await findConflict(this.#store, batch)
      if (conflict.kind !== 'same' && superseded) {
        // Closed: what was decided by policies that are no longer in force does not happen. The
        // other items have not failed.
        for (const item of items) refuse(item, error)
        return false
      }
      if (conflict.kind === 'unknown') throw error
      if (conflict.kind === 'taken') {
        // Another replica has taken this epoch for dead, and ended its chain.
        this.#log.error(
          { ...batch.chain, n: batch.first },
          'this chain was ended; starting another',
        )
        await this.#lease.advance(batch.chain.epoch)
        return false
      }
      if (conflict.kind === 'linked') {
        for (const item of items) {
          if (!conflict.events.has(item.id)) continue
          item.abandoned = true
          // An earlier try of the same event, which had been given up, has succeeded. A row that
          // was there already has been counted by whoever wrote it.
          if (item.described) item.settle()
        }
        return false
      }
      // The attempt whose answer was lost has taken effect.
    }
    const last = batch.events.at(-1)!
    this.#head = { chain: batch.chain, n: batch.first + batch.events.length - 1, hash: last.hash }
    const settle = () => items.forEach((item) => item.settle())
    // If more is waiting, it goes out first, so that the database works on it while those who
    // waited for this batch go on.
    if (this.#more()) setImmediate(settle)
    else settle()
    return true
  }

  /** Part of the batch was refused. Finds out which, so that it fails alone. */
  async #divide(items: readonly Item[], error: unknown, signal: AbortSignal): Promise<void> {
    if (items.length === 1) return items[0]!.settle(error)
    const middle = items.length >> 1
    await this.write(items.slice(0, middle), signal)
    await this.write(items.slice(middle), signal)
  }

  #newChain() {
    const { replica, epoch } = this.#lease
    return { chain: { replica, epoch }, n: 0, hash: genesis }
  }
}

const uniqueViolation = '23505'

/**
 * The oldest generation that any item rests on. If there are two, the policies have just changed,
 * and all of the items are decided anew.
 */
function oldest(items: readonly Item[]): number | null {
  const all = items.flatMap(({ under }) => under ?? [])
  return all.length === 0 ? null : Math.min(...all)
}

function refuse(item: Item, error: unknown): void {
  if (item.under === null) return
  item.abandoned = true
  item.settle(error)
}

/**
 * What an error means for a batch: it can never be written like this, it was not written, or nobody
 * knows.
 */
function meaningOf(error: unknown): 'refused' | 'not done' | 'unanswered' {
  if (!(error instanceof StoreError)) return 'refused'
  // Data, integrity, limits (PostgreSQL documentation, appendix A): the cause lies in the events,
  // and will not go away.
  if (/^(22|23|54)/.test(error.code)) return 'refused'
  return error.ambiguous && error.code !== '08001' ? 'unanswered' : 'not done'
}
