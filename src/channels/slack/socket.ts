import { setTimeout as sleep } from 'node:timers/promises'
import type { SocketModeReceiver } from '@slack/bolt'
import type { Log } from '../../telemetry/log.ts'

const firstPause = 1_000
const longestPause = 60_000
/** Milliseconds that stopping waits. */
const patience = 1_000

/**
 * The connection to Slack over which clicks come in Socket Mode, made again whenever it is lost.
 * Bolt's own reconnecting is turned off: where Slack does not answer at all, it gives up, with a
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

  /** Returns at once: a Slack that is away keeps nothing from starting. */
  start(): void {
    this.#loop = this.#stayConnected()
  }

  /**
   * An attempt to connect that hangs is not waited for: it ends by itself, and finds that it is not
   * wanted any more.
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
        // Clicks do not arrive meanwhile; the console decides as ever.
        this.#log.warn({ err: error }, 'there is no connection to Slack; trying again')
      }
      // Rejects only when it is cut short by closing, which ends the loop.
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
      pause = Math.min(pause * 2, longestPause)
    }
  }
}
