import type { Caller } from '../../core/caller.ts'
import type { AgentResponse } from './client.ts'

/**
 * The client that waits for a response, which has gone when the response closes before its end.
 * Asks the response itself, because an `AbortController` for each request would cost more than the
 * decision.
 */
export class ResponseCaller implements Caller {
  readonly #response: AgentResponse

  constructor(response: AgentResponse) {
    this.#response = response
  }

  get aborted(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished
  }

  /** While the gate waits there is no answer yet, so a response that closes has lost its client. */
  addEventListener(_event: 'abort', listener: () => void): void {
    this.#response.on('close', listener)
  }

  removeEventListener(_event: 'abort', listener: () => void): void {
    this.#response.off('close', listener)
  }
}
