import type { Judge } from './judge.ts'
import { Rejection } from './rejection.ts'
import type { Run } from './run.ts'
import type { ServerSide } from './server-side.ts'

/**
 * Milliseconds for the server to end what it was told to cancel, and for the client to read what
 * comes before that.
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
 * Watches what the server runs. To have been allowed is no right to go on (docs/postgres.md, "What
 * goes on").
 */
export class UnderWay {
  readonly #init: UnderWayInit
  // Owned by look(): one look at a time, and none are queued up while the store is slow.
  #looking = false
  // The run that may not go on, and since when.
  #refused: { readonly run: Run; readonly at: number } | null = null

  constructor(init: UnderWayInit) {
    this.#init = init
  }

  /**
   * To be called about once a second. Cancels what may not go on. The client is told why, in place
   * of the server's error.
   */
  async look(): Promise<void> {
    const { server, judge, cancel } = this.#init
    const { answers } = server
    const run = answers.head?.run
    // A COPY FROM STDIN is checked as its rows come (`Copying`).
    if (this.#looking || !run?.started || !run.isInDoubt || answers.copyIn) return
    this.#looking = true
    try {
      const refusal = await judge.refusedSince(run)
      // The server may have moved on to something else, which the cancel must not hit.
      if (!refusal || answers.head?.run !== run) return
      if (this.#refused?.run !== run) this.#refused = { run, at: performance.now() }
      else if (performance.now() - this.#refused.at > patience)
        // Closed: end the session. A server that waits for a client to read does not notice a
        // cancel, and some code cannot be cancelled.
        return this.#init.end(new Rejection(refusal.code, refusal.message, refusal.hint))
      await cancel()
    } finally {
      this.#looking = false
    }
  }
}
