import { randomUUID } from 'node:crypto'
import { claimNotices, noteDelivered, noteFailed, type Claimed } from '../../approvals/outbox.ts'
import { getApproval } from '../../approvals/store.ts'
import { votesOf } from '../../approvals/votes.ts'
import { Nap, pauseAfter, unlessAborted, type Pauses } from '../../core/try-again.ts'
import type { GateContext } from '../context.ts'
import { DeliveryError, type Channel } from './channel.ts'
import { noticeOf, type Notice } from './notice.ts'

/** All in milliseconds. */
export interface DeliveryTimes extends Pauses {
  /** Between two looks at what is due. Usually a notification comes first. */
  readonly lookEvery: number
  /** For one attempt. */
  readonly patience: number
  /**
   * How long the claim of an attempt keeps other replicas away. Longer than `patience`, so that no
   * two of them post the same.
   */
  readonly lease: number
  /** After this time a notice is given up, because nobody waits for it any more. */
  readonly giveUpAfter: number
}

export const deliveryTimes: DeliveryTimes = {
  lookEvery: 1_000,
  patience: 25_000,
  lease: 60_000,
  firstPause: 1_000,
  longestPause: 5 * 60_000,
  giveUpAfter: 3 * 86_400_000,
}

/** Deliveries at a time for one channel on one replica. */
const atATime = 4

export interface Attempted {
  readonly channel: string
  readonly delivered: boolean
}

interface DeliveryDeps {
  readonly gate: GateContext
  /** Where people reach the console, without a slash at the end. */
  readonly consoleUrl: string
  /** Counts. */
  readonly onAttempt: (attempt: Attempted) => void
  readonly times?: DeliveryTimes
}

/**
 * Delivers what is due in the outbox to one channel, until stopped. Each channel has its own
 * delivery, so that one that is down, slow or asks for a pause holds up only itself. No decision
 * ever waits for this.
 */
export class Delivery {
  readonly #channel: Channel
  readonly #deps: DeliveryDeps
  readonly #times: DeliveryTimes
  readonly #over = new AbortController()
  readonly #unwatch: () => void
  readonly #loop: Promise<void>
  readonly #nap = new Nap()
  // Owned by #run(): whether something has changed since the last look began.
  #hinted = false
  // Owned by #deliver(): the other side asked for a pause until this time of the monotonic clock.
  #quietUntil = 0

  constructor(channel: Channel, deps: DeliveryDeps) {
    this.#channel = channel
    this.#deps = deps
    this.#times = deps.times ?? deliveryTimes
    this.#unwatch = deps.gate.holds.watch(() => {
      this.#hinted = true
      this.#nap.wake()
    })
    this.#loop = this.#run()
  }

  /**
   * Abandons attempts that are under way. Some replica takes them up again when their claims run
   * out.
   */
  async stop(): Promise<void> {
    this.#over.abort()
    this.#unwatch()
    this.#nap.wake()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      this.#hinted = false
      const more = await this.#round()
      if (!more && !this.#hinted && !signal.aborted) await this.#nap.take(this.#times.lookEvery)
    }
  }

  /** Resolves to whether more may be due. */
  async #round(): Promise<boolean> {
    if (performance.now() < this.#quietUntil) return false
    const { gate } = this.#deps
    try {
      const { name } = this.#channel
      const rows = await claimNotices(gate.store, name, randomUUID(), atATime, this.#times.lease)
      await Promise.all(rows.map((row) => this.#deliver(row)))
      return rows.length === atATime
    } catch (error) {
      // Nothing is lost: what was claimed is due again when the claim runs out.
      gate.log.warn({ err: error, channel: this.#channel.name }, 'the outbox could not be read')
      return false
    }
  }

  async #deliver(row: Claimed): Promise<void> {
    const { gate, onAttempt } = this.#deps
    const { name: channel } = this.#channel
    const notice = await this.#noticeFor(row)
    if (!notice) return noteDelivered(gate.store, row, null)
    try {
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(this.#times.patience)])
      const { receipt } = await unlessAborted(
        this.#channel.deliver(notice, signal),
        signal,
        tooLate,
      )
      onAttempt({ channel, delivered: true })
      await noteDelivered(gate.store, row, receipt)
    } catch (error) {
      if (this.#over.signal.aborted) return
      onAttempt({ channel, delivered: false })
      const pauseMs = this.#pauseAfter(row, error)
      const words = wordsOf(error)
      gate.log.warn(
        { channel, target: row.target, approval: row.approval, error: words, retry_ms: pauseMs },
        'a notice was not delivered',
      )
      await noteFailed(gate.store, row, words, pauseMs)
    }
  }

  /**
   * `null` when there is nothing left to say, as with a reminder or a first escalation for an
   * approval that is no longer pending.
   */
  async #noticeFor(row: Claimed): Promise<Notice | null> {
    const { gate, consoleUrl } = this.#deps
    const approval = await getApproval(gate.store, row.approval)
    if (!approval) throw new Error(`approval ${row.approval} has vanished`)
    const votes = (await votesOf(gate.store, [approval.id])).get(approval.id)!
    const isFirstWord = row.receipt === null && row.purpose !== 'announce'
    const emergency = votes.some(({ decision }) => decision === 'break_glass')
    if (isFirstWord && approval.state !== 'pending' && !emergency) return null
    return noticeOf(row, approval, votes, consoleUrl)
  }

  #pauseAfter({ attempts, createdAt }: Claimed, error: unknown): number | null {
    if (Date.now() - createdAt.getTime() > this.#times.giveUpAfter) return null
    const asked = error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0
    this.#quietUntil = Math.max(this.#quietUntil, performance.now() + asked)
    return Math.max(pauseAfter(attempts, this.#times), asked)
  }
}

const tooLate = (): Error => new DeliveryError('It did not answer in time')

/** Only the name of an unexpected error, because its text can contain anything. */
function wordsOf(error: unknown): string {
  if (error instanceof DeliveryError) return error.message
  return error instanceof Error ? `unexpected failure (${error.name})` : 'unexpected failure'
}
