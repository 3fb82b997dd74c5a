import { performance } from 'node:perf_hooks'
import { Problem } from '../core/errors.ts'
import { StoreError } from '../store/db.ts'
import type { EventInput } from '../core/event.ts'
import type { Item } from './chain-writer.ts'
import type { Described } from './event.ts'

/**
 * Called once for each event: without an error when it is durable, with one when its appender is
 * told that it is not.
 */
export type Ended = (input: EventInput, error?: unknown) => void

class Waiting implements Item {
  readonly id: string
  readonly body: string
  readonly described: Described
  readonly under: number | null
  readonly size: number
  /** Whether something waits for it to become durable. */
  readonly awaited: boolean
  /** On the monotonic clock, in milliseconds. */
  readonly since = performance.now()
  readonly durable: Promise<void>
  abandoned = false
  // Owned by settle(), whose first call counts.
  #settled = false
  readonly #ended: Ended
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void

  constructor(described: Described, under: number | null, awaited: boolean, ended: Ended) {
    const { id, body, personal } = described
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.id = id
    this.body = body
    this.described = described
    this.under = under
    this.size = body.length + (personal?.body.length ?? 0)
    this.awaited = awaited
    this.durable = promise
    this.#ended = ended
    this.#resolve = resolve
    this.#reject = reject
  }

  settle(error?: unknown): void {
    if (this.#settled) return
    this.#settled = true
    this.#ended(this.described.input, error)
    if (error === undefined) this.#resolve()
    else this.#reject(asProblem(error))
  }
}

/** The most that may wait, in events and in characters. */
const mostWaiting = { events: 20_000, size: 64 * 1024 * 1024 }
const mostAtOnce = { events: 500, size: 4 * 1024 * 1024 }

/** Events whose appenders wait for them to become durable, in the order in which they came. */
export class Queue {
  readonly #ended: Ended
  #waiting: Waiting[] = []
  #underway: readonly Waiting[] = []
  // Sums over #waiting.
  #size = 0
  #awaited = 0

  constructor(ended: Ended) {
    this.#ended = ended
  }

  /** Whether something waits for any of these events. */
  get awaited(): boolean {
    return this.#awaited > 0
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  get length(): number {
    return this.#waiting.length
  }

  /**
   * Resolves when the event is durable. Rejects with the problem `store-unavailable` when too much
   * is waiting already, or after too long a wait.
   */
  add(described: Described, under: number | null, awaited: boolean): Promise<void> {
    const item = new Waiting(described, under, awaited, this.#ended)
    if (this.#waiting.length >= mostWaiting.events || this.#size >= mostWaiting.size) {
      item.settle(unavailable())
      return item.durable
    }
    this.#size += item.size
    this.#awaited += Number(awaited)
    this.#waiting.push(item)
    return item.durable
  }

  /** Takes the next batch. The queue keeps watching its patience until the next call. */
  take(): readonly Item[] {
    let count = 0
    let size = 0
    while (count < this.#waiting.length && count < mostAtOnce.events && size < mostAtOnce.size) {
      size += this.#waiting[count++]!.size
    }
    this.#underway = this.#waiting.splice(0, count)
    for (const item of this.#underway) this.#forget(item)
    return this.#underway
  }

  /**
   * Closed: tells whoever has waited for `patienceMs` milliseconds that there is no record, so that
   * they do not act.
   */
  giveUp(patienceMs: number): void {
    const latest = performance.now() - patienceMs
    const give = (item: Waiting) => {
      if (item.since > latest) return false
      item.abandoned = true
      item.settle(unavailable())
      return true
    }
    this.#underway.forEach(give)
    while (this.#waiting[0] && give(this.#waiting[0])) this.#forget(this.#waiting.shift()!)
  }

  #forget({ size, awaited }: Waiting): void {
    this.#size -= size
    this.#awaited -= Number(awaited)
  }
}

export function unavailable(cause?: unknown): Problem {
  const detail = 'The audit store does not answer, so nothing runs. Try again when it is back.'
  return new Problem('store-unavailable', detail, {}, { cause })
}

function asProblem(error: unknown): unknown {
  return error instanceof StoreError && error.ambiguous ? unavailable(error) : error
}
