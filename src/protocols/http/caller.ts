import type { Caller } from '../../core/caller.ts'
import type { AgentResponse } from './client.ts'

/**
 * Whoever waits for a response: gone when that has closed before its end. It asks the response
 * itself, which knows: an `AbortController` for each request costs more than deciding it.
 */
export class ResponseCaller implements Caller {
  readonly #response: AgentResponse

  constructor(response: AgentResponse) {
    this.#response = response
  }

  get aborted(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished
  }

  /**
   * While somebody waits here there is no answer, so a response that closes has lost its client.
   */
  addEventListener(_event: 'abort', listener: () => void): void {
    this.#response.on('close', listener)
  }

  removeEventListener(_event: 'abort', listener: () => void): void {
    this.#response.off('close', listener)
  }
}
