import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../core/errors.ts'
import { UnderWay } from '../core/under-way.ts'
import { StoreError } from '../store/db.ts'
import type { Lease } from '../store/lease.ts'
import type { Log } from '../telemetry/log.ts'

const firstPause = 100
const longestPause = 5_000
/**
 * Facts that are on their way at a time: several batches, and far fewer than what the log lets
 * wait, where intents wait too. A transaction may end with a hundred thousand of them.
 */
const mostAtOnce = 2_000
/** Milliseconds for which a fact is worth keeping while the store is away. */
const patience = 10 * 60_000

/** Facts that have already happened, on their way into the store. */
export class Outcomes {
  readonly #lease: Lease
  readonly #log: Log
  readonly #underWay = new UnderWay()
  readonly #closing = new AbortController()
  // Owned by #turn() and #handOver(): how many have their turn, and who waits for one.
  #turns = 0
  readonly #waiting = new Set<() => void>()

  constructor(lease: Lease, log: Log) {
    this.#lease = lease
    this.#log = log
  }

  /**
   * Writes a fact down, again and again until the store takes it: however often it is tried, it has
   * to take effect once. Never rejects. After the end of the epoch that it belongs to it is late
   * evidence: another replica may have recorded the outcome as `unknown` by then, and learns better
   * from it. What never arrives stays `unknown`.
   */
  async persist(epoch: number, write: () => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + patience
    this.#underWay.begin()
    const turn = this.#turn()
    try {
      if (turn) {
        await turn
        if (this.#isLost(epoch, deadline)) return this.#giveUp()
      }
      for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
        try {
          await write()
          return
        } catch (error) {
          if (isRefused(error) || this.#isLost(epoch, deadline)) return this.#giveUp(error)
          this.#log.warn({ err: error }, 'an outcome is not recorded yet; trying again')
        }
        await this.#wait(pause)
      }
    } finally {
      this.#handOver()
      this.#underWay.end()
    }
  }

  /**
   * Resolves when everything is written down, or cannot be as long as this replica may speak for
   * its epoch.
   */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#underWay.none()
  }

  /** `null` where it is there at once. */
  #turn(): Promise<void> | null {
    if (this.#turns < mostAtOnce) {
      this.#turns += 1
      return null
    }
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #handOver(): void {
    if (this.#waiting.size === 0) {
      this.#turns -= 1
      return
    }
    const [next] = this.#waiting
    this.#waiting.delete(next!)
    next!()
  }

  #giveUp(error?: unknown): void {
    this.#log.error({ err: error }, 'an outcome could not be recorded; it stays unknown')
  }

  /** Whether nobody here may say any more what became of it, and it is not worth trying. */
  #isLost(epoch: number, deadline: number): boolean {
    if (this.#lease.held(epoch)) return false
    return this.#closing.signal.aborted || performance.now() > deadline
  }

  async #wait(pause: number): Promise<void> {
    const { signal } = this.#closing
    // While closing, the pause is not cut short to nothing: that would only beat on a store that is
    // away. Cut short by closing it rejects, which only means: try now.
    const soon = signal.aborted ? undefined : signal
    await sleep(pause, undefined, { ref: false, signal: soon }).catch(() => undefined)
  }
}

/** What no other try mends: it lies in what is to be written (PostgreSQL, appendix A). */
function isRefused(error: unknown): boolean {
  if (error instanceof StoreError) return /^(22|23|54)/.test(error.code)
  return error instanceof Problem && error.code === 'bad-request'
}
