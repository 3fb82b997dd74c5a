import type { PGlite } from '@electric-sql/pglite'

/** What a connection believes to have for itself. */
export interface Guest {
  /** The settings that it has made, by name. Kept here while others have their turn. */
  settings: ReadonlyMap<string, string>
}

interface Setting {
  readonly name: string
  readonly value: string
}

const madeHere = `SELECT name, pg_catalog.current_setting(name) AS value
  FROM pg_catalog.pg_settings WHERE source = 'session'`

/**
 * PGlite has a single session. Here connections take turns in it, for a transaction each, and each
 * finds its own settings again; the names of prepared statements, temporary tables and LISTEN are
 * everybody's. So it is something to try the gateway with, and no server.
 */
export class SharedSession {
  readonly #database: PGlite
  // Owned by enter(): the end of the last turn that was asked for.
  #last: Promise<void> = Promise.resolve()
  // Owned by #prepareFor().
  #guest: Guest | null = null

  constructor(database: PGlite) {
    this.#database = database
  }

  /** Waits for a turn. Resolves with the function that ends it. */
  async enter(guest: Guest): Promise<() => void> {
    const before = this.#last
    const turn = Promise.withResolvers<void>()
    this.#last = turn.promise
    await before
    try {
      await this.#prepareFor(guest)
    } catch (error) {
      turn.resolve()
      throw error
    }
    return turn.resolve
  }

  /**
   * Whole messages in, and what is answered out. Resolves with the last bytes of the answer. Only
   * within a turn.
   */
  async exchange(messages: Uint8Array, answer: (bytes: Uint8Array) => void): Promise<Uint8Array> {
    let last = new Uint8Array()
    await this.#database.execProtocolRawStream(messages, {
      onRawData: (bytes) => {
        // What it points at is used again.
        last = bytes.slice()
        answer(last)
      },
    })
    return last
  }

  /** What a server says of itself when somebody has logged in. */
  async parameters(names: readonly string[]): Promise<readonly Setting[]> {
    const { rows } = await this.#database.query<Setting>(
      'SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.unnest($1::text[]) name',
      [names],
    )
    return rows
  }

  async #prepareFor(guest: Guest): Promise<void> {
    if (guest === this.#guest) return
    const { rows } = await this.#database.query<Setting>(madeHere)
    if (this.#guest) this.#guest.settings = new Map(rows.map(({ name, value }) => [name, value]))
    this.#guest = guest
    await this.#database.exec('RESET ALL')
    for (const [name, value] of guest.settings)
      await this.#database.query('SELECT pg_catalog.set_config($1, $2, false)', [name, value])
  }
}
