import { NotSent } from '../../core/send-once.ts'
import { Attempts, Nap, pauseAfter, type Pauses } from '../../core/try-again.ts'
import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { NotStored } from '../s3/not-stored.ts'
import { DeliveryFailure, type Destination } from './destination.ts'
import { gather } from './gather.ts'
import {
  beginBatch,
  endTurn,
  failTurn,
  releaseTurn,
  takeTurn,
  type Deliverer,
  type Turn,
} from './turn.ts'

/** All in milliseconds. */
export interface DeliveryTimes extends Pauses {
  /** Between two looks at what is due. */
  readonly lookEvery: number
  /** For one batch. */
  readonly patience: number
  /**
   * How long a turn keeps other replicas away. Longer than `patience`, so that no two of them work
   * on the same batch.
   */
  readonly lease: number
}

const deliveryTimes: DeliveryTimes = {
  lookEvery: 1_000,
  patience: 60_000,
  lease: 90_000,
  firstPause: 1_000,
  longestPause: 5 * 60_000,
}

export interface Delivered {
  readonly delivery: string
  readonly delivered: boolean
}

export interface AuditDeliveryOptions extends Deliverer {
  readonly destination: Destination
  /** Whether events are delivered with their erasable part. */
  readonly personal: boolean
  readonly store: Store
  readonly log: Log
  /** Called after each attempt, to count it. */
  readonly onAttempt: (attempt: Delivered) => void
  readonly times?: DeliveryTimes
}

/**
 * Delivers the log to one destination, batch after batch, until stopped. One replica at a time does
 * so. A batch is fixed before it is sent, and noted as delivered afterwards. If a replica dies in
 * between, the same batch is repeated, with the same name and the same indexes. So nothing is lost,
 * and a receiver that remembers indexes, or keeps files by their names, has nothing twice.
 */
export class AuditDelivery {
  readonly #options: AuditDeliveryOptions
  readonly #times: DeliveryTimes
  readonly #over = new AbortController()
  readonly #loop: Promise<void>
  readonly #nap = new Nap()
  readonly #attempts = new Attempts()

  constructor(options: AuditDeliveryOptions) {
    this.#options = options
    this.#times = options.times ?? deliveryTimes
    this.#loop = this.#run()
  }

  /** Abandons what is under way. Some replica repeats it. */
  async stop(): Promise<void> {
    this.#over.abort()
    this.#nap.wake()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      const more = await this.#round()
      if (!more && !signal.aborted) await this.#nap.take(this.#times.lookEvery)
    }
  }

  /** Resolves to whether more may be due. Never rejects. */
  async #round(): Promise<boolean> {
    const { name, store, log } = this.#options
    try {
      const turn = await takeTurn(store, this.#options, this.#times.lease)
      if (!turn) return false
      return await this.#use(turn).catch((error: unknown) => this.#fail(turn, error))
    } catch (error) {
      // Nothing is lost: a turn that was taken will run out.
      log.warn({ err: error, delivery: name }, 'deliveries of the audit log wait for the store')
      return false
    }
  }

  async #use(turn: Turn): Promise<true> {
    const { name, store, destination, personal, onAttempt, log } = this.#options
    const { batch, found } = await gather(store, turn, destination, { personal, begun: turn.begun })
    const { first, end } = batch
    if (found < end - first) {
      // The remaining events are delivered all the same. Whoever removed some must not stop that.
      log.error({ delivery: name, first, end, found }, 'events of the audit log are missing')
    }
    if (!(await beginBatch(store, turn, end, this.#times.lease))) return true
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(this.#times.patience)])
    await this.#attempts.make(() => destination.deliver(batch, signal), signal, tooLate)
    onAttempt({ delivery: name, delivered: true })
    await endTurn(store, turn, end)
    return true
  }

  /** Notes a failed attempt. Rejects with a `StoreError`. */
  async #fail(turn: Turn, error: unknown): Promise<false> {
    const { name: delivery, store, onAttempt, log } = this.#options
    if (this.#over.signal.aborted) {
      await releaseTurn(store, turn)
      return false
    }
    onAttempt({ delivery, delivered: false })
    const pauseMs = this.#pauseAfter(turn, error)
    const words = wordsOf(error)
    log.warn(
      { delivery, first: turn.first, error: words, retry_ms: pauseMs },
      'events of the audit log were not delivered',
    )
    await failTurn(store, turn, words, pauseMs)
    return false
  }

  #pauseAfter({ failures }: Turn, error: unknown): number {
    const asked = error instanceof DeliveryFailure ? (error.retryAfterMs ?? 0) : 0
    return Math.max(pauseAfter(failures, this.#times), asked)
  }
}

const tooLate = (): Error => new DeliveryFailure('It did not answer in time')

/**
 * Only the name and the system's code of an unexpected error, because its text can contain
 * anything.
 */
function wordsOf(error: unknown): string {
  const known = [DeliveryFailure, NotSent, NotStored]
  if (known.some((kind) => error instanceof kind)) return (error as Error).message
  const { code, name } = error as NodeJS.ErrnoException
  return `unexpected failure (${typeof code === 'string' ? code : name})`
}
