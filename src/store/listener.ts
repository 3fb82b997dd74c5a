import { setTimeout as sleep } from 'node:timers/promises'
import { Client, escapeIdentifier, type ClientConfig, type Pool } from 'pg'
import type { Hints } from './pooled.ts'
import { toStoreError } from './session.ts'

type OnNotify = (payload: string | null) => void

const firstPause = 100
const longestPause = 5_000

/**
 * LISTENs on a connection of its own, which is made again whenever it is lost. NOTIFY goes through
 * the pool.
 */
export class Listener implements Hints {
  readonly #config: ClientConfig
  readonly #pool: Pool
  readonly #channels = new Map<string, Set<OnNotify>>()
  readonly #over = new AbortController()
  // Owned by #stayConnected(): the live connection, or null while there is none.
  #client: Client | null = null
  #firstAttempt: Promise<void> | null = null
  #loop: Promise<void> = Promise.resolve()

  constructor(config: ClientConfig, pool: Pool) {
    this.#config = config
    this.#pool = pool
  }

  async listen(channel: string, onNotify: OnNotify): Promise<() => Promise<void>> {
    const known = this.#channels.get(channel)
    const listeners = known ?? new Set()
    this.#channels.set(channel, listeners.add(onNotify))
    this.#firstAttempt ??= new Promise((attempted) => {
      this.#loop = this.#stayConnected(attempted)
    })
    await this.#firstAttempt
    if (!known && this.#client) await this.#subscribe(this.#client, channel)
    return async () => {
      listeners.delete(onNotify)
    }
  }

  async notify(channel: string, payload: string): Promise<void> {
    await this.#pool.query('SELECT pg_notify($1, $2)', [channel, payload]).catch((error) => {
      throw toStoreError(error)
    })
  }

  async end(): Promise<void> {
    this.#over.abort()
    await this.#client?.end()
    await this.#loop
  }

  async #stayConnected(attempted: () => void): Promise<void> {
    const { signal } = this.#over
    let pause = firstPause
    let missed = false
    while (!signal.aborted) {
      const client = new Client(this.#config)
      const lost = new Promise<void>((resolve) => client.once('end', resolve))
      // The 'end' that follows is what counts.
      client.on('error', () => {})
      client.on('notification', ({ channel, payload }) => this.#tell(channel, payload ?? ''))
      try {
        await client.connect()
        for (const channel of this.#channels.keys()) await this.#subscribe(client, channel)
        this.#client = client
        pause = firstPause
        // Notifications were lost while nobody listened, so everything has to be looked at again.
        if (missed) for (const channel of this.#channels.keys()) this.#tell(channel, null)
      } catch {
        // No harm done: notifications are hints, and every waiter also looks by itself.
        await client.end()
      }
      attempted()
      if (signal.aborted) await client.end()
      if (this.#client) await lost
      this.#client = null
      missed = true
      // Closing cuts it short, which rejects, and ends the loop.
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
      pause = Math.min(pause * 2, longestPause)
    }
  }

  async #subscribe(client: Client, channel: string): Promise<void> {
    await client.query(`LISTEN ${escapeIdentifier(channel)}`)
  }

  #tell(channel: string, payload: string | null): void {
    for (const onNotify of this.#channels.get(channel) ?? []) onNotify(payload)
  }
}
