import type { Judge } from './judge.ts'
import { Rejection } from './rejection.ts'
import type { Run } from './run.ts'
import type { ServerSide } from './server-side.ts'
import { WireFault } from './wire/fault.ts'
import type { FrontendMessage, FrontendRows } from './wire/frontend.ts'

/**
 * Rows on their way into a table, by COPY FROM STDIN (PostgreSQL documentation, "COPY Operations").
 */
export class Copying {
  readonly #server: ServerSide
  readonly #judge: Judge
  // Owned by begun(): whose rows they are.
  #run: Run | null = null

  constructor(server: ServerSide, judge: Judge) {
    this.#server = server
    this.#judge = judge
  }

  /**
   * Resolves when the server has said whether it copies. The client's next message means one thing
   * if it does, and another if it does not.
   */
  async begun(run: Run | null): Promise<void> {
    const { answers, open } = this.#server
    const last = answers.outstanding.at(-1)
    this.#run = run
    if (open) this.#server.flush()
    await this.#server.until(() => answers.copyIn || !last || !answers.outstanding.includes(last))
  }

  /**
   * Forwards rows as they come, even if the COPY has failed meanwhile: the server ignores them
   * then.
   */
  pass(rows: FrontendRows): Promise<void> | void {
    const run = this.#run
    if (run?.isInDoubt) return this.#mayGoOn(run).then(() => this.#pass(rows))
    this.#pass(rows)
  }

  /** A message that comes while the server copies. */
  take(message: FrontendMessage): Promise<void> | void {
    const run = this.#run
    if (message.type === 'c' && run?.isInDoubt)
      return this.#mayGoOn(run).then(() => this.#take(message))
    return this.#take(message)
  }

  #pass({ bytes, begun }: FrontendRows): void {
    if (this.#run) this.#run.bytes += bytes.length - begun * 5
    this.#server.pass(bytes)
  }

  #take({ type, bytes }: FrontendMessage): Promise<void> | void {
    switch (type) {
      case 'c':
      case 'f':
        this.#server.send(bytes)
        this.#server.answers.endCopy()
        // The same text may contain another COPY.
        return this.begun(this.#run)
      case 'S':
      case 'H':
        // The server ignores these while it copies.
        return
      default:
        throw new WireFault(`unexpected message type "${type}" during COPY from stdin`)
    }
  }

  /**
   * Rejects with a `Rejection` if the COPY would not be permitted any more. That ends the session,
   * and none of the rows stays.
   */
  async #mayGoOn(run: Run): Promise<void> {
    const refusal = await this.#judge.refusedSince(run)
    if (refusal) throw new Rejection(refusal.code, refusal.message, refusal.hint)
  }
}
