import { Problem } from '../core/errors.ts'
import { leaveOut, type Log } from '../telemetry/log.ts'
import { StoreError, type Store } from './db.ts'

/**
 * In milliseconds: between two lines about one outage, between two looks, and how long nothing may
 * fail until it is over.
 */
const tellEvery = 10_000
const lookEvery = 1_000
const calm = 2_000

/**
 * The same store, and whoever reads the log hears of it when it fails: in one line when that
 * begins, one every ten seconds, and one when it is over. Whatever fails for it warns as well, some
 * of it many times a second: meanwhile that is counted, and left out.
 */
export function tellOutages(store: Store, log: Log): Store {
  const outage = new Outage(log)
  return {
    kind: store.kind,
    query<Row>(...statement: Parameters<Store['query']>) {
      return outage.watch(store.query<Row>(...statement))
    },
    exchange: (statements) => outage.watch(store.exchange(statements)),
    tx: (work) => outage.watch(store.tx(work)),
    listen: (channel, onNotify) => store.listen(channel, onNotify),
    notify: (channel, payload) => store.notify(channel, payload),
    end() {
      outage.close()
      return store.end()
    },
  }
}

class Outage {
  readonly #log: Log
  // All but the last are owned by #failed() and #look(), and those that count. Since when, on the
  // monotonic clock; `null` while all is well.
  #since: number | null = null
  #told = 0
  #timer: NodeJS.Timeout | undefined
  // Since it was told last.
  #leftOut = 0
  #failures = 0
  // The last of each.
  #failedAt = -Infinity
  #answeredAt = -Infinity
  // Owned by close().
  #closed = false

  constructor(log: Log) {
    this.#log = log
    leaveOut(log, (about) => this.#leavesOut(about))
  }

  async watch<T>(asked: Promise<T>): Promise<T> {
    try {
      const answer = await asked
      if (this.#since !== null) this.#answeredAt = performance.now()
      return answer
    } catch (error) {
      if (isOutage(error)) {
        this.#failures += 1
        this.#failed(error)
      }
      throw error
    }
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  #failed({ code, message }: Pick<StoreError, 'code' | 'message'>): void {
    const now = performance.now()
    this.#failedAt = now
    if (this.#since !== null) return
    this.#since = now
    this.#told = now
    this.#timer = setInterval(() => this.#look(), lookEvery).unref()
    this.#log.error({ code, error: message }, 'the store fails: what needs it waits, or is refused')
  }

  #look(): void {
    const now = performance.now()
    const over = this.#answeredAt > this.#failedAt && now - this.#failedAt > calm
    if (!over && now - this.#told < tellEvery) return
    const seconds = Math.round((now - this.#since!) / 1_000)
    const counts = { seconds, failures: this.#failures, left_out: this.#leftOut }
    this.#told = now
    this.#failures = 0
    this.#leftOut = 0
    if (!over) return this.#log.warn(counts, 'the store still fails')
    clearInterval(this.#timer)
    this.#since = null
    this.#log.warn(counts, 'the store works again')
  }

  /** Who waited in vain says so before the store does: what hangs has not failed yet. */
  #leavesOut(about: unknown): boolean {
    const failure = this.#closed ? null : failureIn(about)
    if (!failure) return false
    this.#leftOut += 1
    this.#failed(failure)
    return true
  }
}

/**
 * What does not lie in what was asked: no answer, no room (53), a disk that fails (58), a server
 * that takes no writes (PostgreSQL, appendix A).
 */
function isOutage(error: unknown): error is StoreError {
  if (!(error instanceof StoreError)) return false
  return error.ambiguous || /^5[38]/.test(error.code) || error.code === '25006'
}

/** What failed for the store alone, of all that a line is about. */
function failureIn(about: unknown): Pick<StoreError, 'code' | 'message'> | null {
  if (typeof about !== 'object' || about === null) return null
  const { err, code } = about as { readonly err?: unknown; readonly code?: unknown }
  for (let error = err; error instanceof Error; error = error.cause) {
    if (isOutage(error) || (error instanceof Problem && error.code === unavailable)) return error
  }
  return code === unavailable ? { code, message: 'it does not answer' } : null
}

const unavailable = 'store-unavailable'
