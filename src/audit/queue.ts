import { performance } from 'node:perf_hooks'
import { Problem } from '../core/errors.ts'
import { StoreError } from '../store/db.ts'
import type { Item } from './chain-writer.ts'
import type { Described } from './event.ts'

interface Waiting extends Item {
  /** On the monotonic clock. */
  readonly since: number
  readonly size: number
  /** Whether something goes on only when it is durable. */
  readonly awaited: boolean
}

/** In events, and in characters of them. */
const mostWaiting = { events: 20_000, size: 64 * 1024 * 1024 }
const mostAtOnce = { events: 500, size: 4 * 1024 * 1024 }

/** Events whose appenders wait for them to become durable, in the order in which they came. */
export class Queue {
  #waiting: Waiting[] = []
  #underway: readonly Waiting[] = []
  // Sums over #waiting.
  #size = 0
  #awaited = 0

  /** Whether something goes on only when what is in here is durable. */
  get awaited(): boolean {
    return this.#awaited > 0
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  get length(): number {
    return this.#waiting.length
  }

  /** Rejects with the problem `store-unavailable` when more waits than the store can be expected to take, or the wait was too long. */
  add(described: Described, under: number | null, awaited: boolean): Promise<void> {
    if (this.#waiting.length >= mostWaiting.events || this.#size >= mostWaiting.size) {
      return Promise.reject(unavailable())
    }
    const { id, body, personal } = described
    const size = body.length + (personal?.body.length ?? 0)
    const since = performance.now()
    this.#size += size
    this.#awaited += Number(awaited)
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown) =>
        error === undefined ? resolve() : reject(asProblem(error))
      const item = { id, body, described, under, since, size, awaited, abandoned: false, settle }
      this.#waiting.push(item)
    })
  }

  /** What goes together next. It stays under this queue's eye until the next call. */
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

  /** Closed: whoever has waited for so many milliseconds is told that there is no record, and does not act. */
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
