import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../core/errors.ts'
import { UnderWay } from '../core/under-way.ts'
import { StoreError } from '../store/db.ts'
import type { Lease } from '../store/lease.ts'
import type { Log } from '../telemetry/log.ts'

const firstPause = 100
const longestPause = 5_000
/**
 * Outcomes that may be on their way at a time: several batches, but far fewer than the audit log
 * lets wait, since intents wait there too. One transaction may end with a hundred thousand of them.
 */
const mostAtOnce = 2_000
/** Milliseconds for which an outcome is kept while the store is away. */
const patience = 10 * 60_000

/** Outcomes of runs on their way into the store. */
export class Outcomes {
  readonly #lease: Lease
  readonly #log: Log
  readonly #underWay = new UnderWay()
  readonly #closing = new AbortController()
  // Owned by #turn() and #handOver(): how many writes are under way, and who waits to begin one.
  #turns = 0
  readonly #waiting = new Set<() => void>()

  constructor(lease: Lease, log: Log) {
    this.#lease = lease
    this.#log = log
  }

  /**
   * Calls `write` until the store takes the outcome; it has to take effect once, however often it
   * is tried. Never rejects. After the end of its epoch an outcome is late evidence: another
   * replica may have recorded `unknown` by then, which this corrects. An outcome that never arrives
   * stays `unknown`.
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
   * Resolves when every outcome is written, or given up because this replica may no longer speak
   * for its epoch.
   */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#underWay.none()
  }

  /** A promise of a turn, or `null` where it comes at once. */
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

  /** Whether the epoch is over and it is not worth trying any longer. */
  #isLost(epoch: number, deadline: number): boolean {
    if (this.#lease.held(epoch)) return false
    return this.#closing.signal.aborted || performance.now() > deadline
  }

  async #wait(pause: number): Promise<void> {
    const { signal } = this.#closing
    // Closing cuts a pause short, which rejects and only means "try now". Pauses that begin after
    // that run their full time, so as not to hammer a store that is away.
    const soon = signal.aborted ? undefined : signal
    await sleep(pause, undefined, { ref: false, signal: soon }).catch(() => undefined)
  }
}

/**
 * Whether trying again is pointless, because the error lies in what is to be written (PostgreSQL
 * documentation, appendix A).
 */
function isRefused(error: unknown): boolean {
  if (error instanceof StoreError) return /^(22|23|54)/.test(error.code)
  return error instanceof Problem && error.code === 'bad-request'
}
