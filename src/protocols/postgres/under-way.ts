import type { Judge } from './judge.ts'
import { Rejection } from './rejection.ts'
import type { Run } from './run.ts'
import type { ServerSide } from './server-side.ts'

/**
 * Milliseconds for a server to end what it was told to cancel, and for a client to read what comes
 * before that.
 */
const patience = 5_000

interface UnderWayInit {
  readonly server: ServerSide
  readonly judge: Pick<Judge, 'refusedSince'>
  /** Asks the server to cancel what it runs. */
  readonly cancel: () => Promise<void>
  /** Ends the session. */
  readonly end: (reason: Rejection) => void
}

/**
 * What the server runs, and takes its time for: what was allowed is no right to go on
 * (docs/postgres.md, "What goes on").
 */
export class UnderWay {
  readonly #init: UnderWayInit
  // Owned by look(): one turn at a time; while the store is slow, turns are left out.
  #looking = false
  // What may not go on, and since when.
  #refused: { readonly run: Run; readonly at: number } | null = null

  constructor(init: UnderWayInit) {
    this.#init = init
  }

  /**
   * To be called about once a second. Cancels what may not go on any more; its client is told why
   * in the place of the server's error.
   */
  async look(): Promise<void> {
    const { server, judge, cancel } = this.#init
    const { answers } = server
    const run = answers.head?.run
    // Rows that are copied in are looked at as they come.
    if (this.#looking || !run?.started || !run.isInDoubt || answers.copyIn) return
    this.#looking = true
    try {
      const refusal = await judge.refusedSince(run)
      // Something else that it runs meanwhile must not be hit.
      if (!refusal || answers.head?.run !== run) return
      if (this.#refused?.run !== run) this.#refused = { run, at: performance.now() }
      else if (performance.now() - this.#refused.at > patience)
        // Closed: a client that does not read keeps the server from hearing of it, and some code
        // cannot be cancelled.
        return this.#init.end(new Rejection(refusal.code, refusal.message, refusal.hint))
      await cancel()
    } finally {
      this.#looking = false
    }
  }
}
