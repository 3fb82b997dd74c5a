import type { Run } from './run.ts'
import type { ServerSide } from './server-side.ts'

/**
 * Reads on their way whose record is not durable yet: more of them in one pipeline would wait for
 * longer than others can.
 */
const most = 256

/** Releases the answer of each read when its record is durable. */
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

  /** Whether no more may be sent for now. `ServerSide.until` learns when that changes. */
  get full(): boolean {
    return this.#count >= most
  }

  /** What is no read is released already. */
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
      // Closed: nobody ever sees the answer to a read that is not on record.
      (error: unknown) => this.#fault(error),
    )
  }
}
