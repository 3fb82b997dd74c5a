import type { Run } from './run.ts'
import type { ServerSide } from './server-side.ts'

/**
 * Reads of one session that may be under way before their records are durable. With more of them in
 * one pipeline, the wait would grow too long for others.
 */
const most = 256

/** Releases the answer to each read when its record is durable. */
export class Unrecorded {
  readonly #server: ServerSide
  readonly #fault: (error: unknown) => void
  // Owned by sent().
  #count = 0

  /** `fault`: a record did not become durable. */
  constructor(server: ServerSide, fault: (error: unknown) => void) {
    this.#server = server
    this.#fault = fault
  }

  /** Whether no more may be sent for now. `ServerSide.until` wakes when that changes. */
  get full(): boolean {
    return this.#count >= most
  }

  /** Notes a run that was sent. Anything but a read is released already. */
  sent(run: Run): void {
    if (run.released) return
    this.#count += 1
    run.permit.recorded.then(
      () => {
        run.released = true
        this.#count -= 1
        this.#server.release()
        this.#server.answers.wake()
      },
      // Closed: the answer to a read that is not on record is never shown.
      (error: unknown) => this.#fault(error),
    )
  }
}
