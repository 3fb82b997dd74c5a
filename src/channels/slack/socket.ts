import { setTimeout as sleep } from 'node:timers/promises'
import type { SocketModeReceiver } from '@slack/bolt'
import type { Log } from '../../telemetry/log.ts'

const firstPause = 1_000
const longestPause = 60_000
/** The longest that stopping waits, in milliseconds. */
const patience = 1_000

/**
 * The connection over which clicks arrive in Socket Mode. It is made again whenever it is lost.
 * Bolt's own reconnecting is turned off: when Slack does not answer at all, it gives up with a
 * rejection that nobody can catch.
 */
export class SocketConnection {
  readonly #receiver: SocketModeReceiver
  readonly #log: Log
  readonly #over = new AbortController()
  #loop: Promise<void> = Promise.resolve()

  constructor(receiver: SocketModeReceiver, log: Log) {
    this.#receiver = receiver
    this.#log = log
  }

  /** Returns at once, so that the gateway starts even when Slack is unavailable. */
  start(): void {
    this.#loop = this.#stayConnected()
  }

  /**
   * Does not wait for an attempt to connect that hangs: once that ends, it finds that it is no
   * longer wanted.
   */
  async stop(): Promise<void> {
    this.#over.abort()
    const ended = this.#receiver.client.disconnect().then(() => this.#loop)
    await Promise.race([ended, sleep(patience, undefined, { ref: false })])
  }

  async #stayConnected(): Promise<void> {
    const { signal } = this.#over
    let pause = firstPause
    while (!signal.aborted) {
      try {
        const lost = new Promise<void>((resolve) => {
          this.#receiver.client.once('disconnected', () => resolve())
        })
        await this.#receiver.client.start()
        if (signal.aborted) await this.#receiver.client.disconnect()
        else this.#log.info('connected to Slack')
        pause = firstPause
        await lost
      } catch (error) {
        // Until it is back no clicks arrive; people can still decide in the console.
        this.#log.warn({ err: error }, 'there is no connection to Slack; trying again')
      }
      // Rejects only when closing cuts it short, and that ends the loop.
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
      pause = Math.min(pause * 2, longestPause)
    }
  }
}
