import { Problem } from '../core/errors.ts'
import { leaveOut, type Log } from '../telemetry/log.ts'
import { StoreError, type Store } from './db.ts'

/**
 * In milliseconds: between two lines in the log about one outage, between two looks, and how long
 * nothing may fail before the outage counts as over.
 */
const tellEvery = 10_000
const lookEvery = 1_000
const calm = 2_000

/**
 * Wraps a store so that its outages appear in the log: one line at the beginning, one every ten
 * seconds, and one at the end. Everything that fails because of the outage would warn too, some of
 * it many times a second. Those warnings are counted and left out.
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
  // All but the last are owned by #failed() and #look(), and by those that count. The beginning of
  // the outage on the monotonic clock; `null` while all is well.
  #since: number | null = null
  #told = 0
  #timer: NodeJS.Timeout | undefined
  // Since the last line in the log.
  #leftOut = 0
  #failures = 0
  // The time of the last failure, and of the last success.
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

  /**
   * Whether a warning is left out. Those who waited in vain may warn before the store does, because
   * what hangs has not failed yet.
   */
  #leavesOut(about: unknown): boolean {
    const failure = this.#closed ? null : failureIn(about)
    if (!failure) return false
    this.#leftOut += 1
    this.#failed(failure)
    return true
  }
}

/**
 * Whether an error is the store's fault and not the statement's: no answer, out of resources (53),
 * a failing disk (58), a server that takes no writes (PostgreSQL documentation, appendix A).
 */
function isOutage(error: unknown): error is StoreError {
  if (!(error instanceof StoreError)) return false
  return error.ambiguous || /^5[38]/.test(error.code) || error.code === '25006'
}

/** The store's failure that a line in the log is about, if any. */
function failureIn(about: unknown): Pick<StoreError, 'code' | 'message'> | null {
  if (typeof about !== 'object' || about === null) return null
  const { err, code } = about as { readonly err?: unknown; readonly code?: unknown }
  for (let error = err; error instanceof Error; error = error.cause) {
    if (isOutage(error) || (error instanceof Problem && error.code === unavailable)) return error
  }
  return code === unavailable ? { code, message: 'it does not answer' } : null
}

const unavailable = 'store-unavailable'
