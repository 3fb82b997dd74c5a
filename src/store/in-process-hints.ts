import { EventEmitter } from 'node:events'
import type { Hints } from './pooled.ts'

/**
 * Notifications of the embedded store. It belongs to one process, so they never leave it, and none
 * gets lost.
 */
export class InProcessHints implements Hints {
  readonly #news = new EventEmitter().setMaxListeners(0)

  async listen(channel: string, onNotify: (payload: string | null) => void) {
    this.#news.on(channel, onNotify)
    return async () => {
      this.#news.off(channel, onNotify)
    }
  }

  async notify(channel: string, payload: string): Promise<void> {
    setImmediate(() => this.#news.emit(channel, payload))
  }

  async end(): Promise<void> {
    this.#news.removeAllListeners()
  }
}
