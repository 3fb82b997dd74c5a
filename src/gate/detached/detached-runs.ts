import { listSendable } from '../../approvals/spool.ts'
import type { GateContext } from '../context.ts'
import { beginDetached, type Prepare } from './begin-detached.ts'

/** Detached runs at a time on one replica, because each has a response in memory. */
const atATime = 8
/** Milliseconds between two looks. Usually a notification comes first. */
const lookEvery = 1_000

/**
 * Sends approved requests whose callers do not wait on a connection (`Prefer: respond-async`).
 * Every replica tries, and the claim decides which one sends, or whether an attempt of the agent's
 * own was faster. If a replica dies between claim and outcome, the run ends as `unknown`, like any
 * other.
 */
export class DetachedRuns {
  readonly #ctx: GateContext
  readonly #prepare: Prepare
  // Owned by #start(): approvals that are being claimed or sent here, and the claims among these
  // that have not ended.
  readonly #running = new Set<string>()
  readonly #beginning = new Set<Promise<unknown>>()
  // Owned by #lookSoon().
  #looking: Promise<void> | null = null
  #again = false
  // Owned by start() and stop().
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #unwatch = (): void => {}

  constructor(ctx: GateContext, prepare: Prepare) {
    this.#ctx = ctx
    this.#prepare = prepare
  }

  start(): void {
    this.#unwatch = this.#ctx.holds.watch(() => this.#lookSoon())
    this.#timer = setInterval(() => this.#lookSoon(), lookEvery)
  }

  /**
   * Begins no more runs. Resolves when none is between its claim and its first byte; ending those
   * that have begun is up to the protocol.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unwatch()
    clearInterval(this.#timer)
    await this.#looking
    await Promise.all(this.#beginning)
  }

  #lookSoon(): void {
    this.#again = true
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        // Closed: what is not found is not sent.
        this.#ctx.log.warn({ err: error }, 'kept requests could not be looked at; trying again')
      })
      .finally(() => (this.#looking = null))
  }

  async #look(): Promise<void> {
    const { store, sealer } = this.#ctx
    while (this.#again) {
      this.#again = false
      const room = atATime - this.#running.size
      if (this.#stopped || room <= 0) return
      for (const id of await listSendable(store, sealer.keyIds, [...this.#running], room)) {
        if (!this.#stopped) this.#start(id)
      }
    }
  }

  #start(id: string): void {
    this.#running.add(id)
    const begun = beginDetached(this.#ctx, this.#prepare, id).catch((error: unknown) => {
      // Closed: it was not sent. The next look tries again, as long as the approval lasts.
      this.#ctx.log.warn({ err: error, approval: id }, 'an approved request was not sent yet')
      return null
    })
    this.#beginning.add(begun)
    void begun.then(async (run) => {
      this.#beginning.delete(begun)
      await run?.sent
      this.#running.delete(id)
      if (run) this.#lookSoon()
    })
  }
}
