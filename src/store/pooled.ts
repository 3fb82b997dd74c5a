import type { Pool, QueryResultRow } from 'pg'
import { StoreError, type Prepared, type Queryable, type Store, type Together } from './db.ts'
import { Session, toStoreError } from './session.ts'

/** How notifications travel, in which the two stores differ. */
export type Hints = Pick<Store, 'listen' | 'notify' | 'end'>

/** A store over a pool of sessions: several to a server, one to the embedded database. */
export class PooledStore implements Store {
  readonly kind: Store['kind']
  readonly #pool: Pool
  readonly #hints: Hints
  readonly #afterEnd: () => Promise<void>
  // Owned by exchange() and #drop(): a session that is borrowed from the pool until it breaks, and
  // whether it is idle. Fetching one for each exchange would cost as much as the exchange.
  #kept: Session | null = null
  #idle = false
  // Owned by end(): set by its first call.
  #ended: Promise<void> | null = null

  constructor(kind: Store['kind'], pool: Pool, hints: Hints, afterEnd = async () => {}) {
    this.kind = kind
    this.#pool = pool
    this.#hints = hints
    this.#afterEnd = afterEnd
    // A session can die while it is idle, or between two statements. The next query on it rejects;
    // the event tells no more than that, and without a listener it would end the process.
    pool.on('connect', (client) => client.on('error', () => {}))
    pool.on('error', () => {})
  }

  async query<Row = Record<string, unknown>>(
    sql: string | Prepared,
    params: readonly unknown[] = [],
  ) {
    const session = await this.#session()
    try {
      const { rows } = await session.run<QueryResultRow>(sql, params)
      return rows as Row[]
    } finally {
      session.release()
    }
  }

  async exchange(statements: Together) {
    // The kept session is for short exchanges that somebody waits for.
    const isShort = !statements.copied
    if (this.#idle && isShort) return this.#exchangeKept(this.#kept!, statements)
    const session = await this.#session()
    if (this.#mayKeep && isShort) {
      this.#kept = session
      session.onEnd(() => this.#drop(session))
      return this.#exchangeKept(session, statements)
    }
    try {
      return await session.exchange(statements)
    } finally {
      session.release()
    }
  }

  async #exchangeKept(session: Session, statements: Together) {
    this.#idle = false
    try {
      return await session.exchange(statements)
    } finally {
      if (!session.sound || this.#ended !== null) this.#drop(session)
      else this.#idle = true
    }
  }

  /** Whether a session may be kept. If the pool has only one, others would wait for it in vain. */
  get #mayKeep(): boolean {
    return this.#kept === null && this.#ended === null && this.#pool.options.max > 1
  }

  #drop(session: Session | null): void {
    // It was dropped already, and another one may be kept by now.
    if (session === null || this.#kept !== session) return
    this.#kept = null
    this.#idle = false
    session.release()
  }

  async tx<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const session = await this.#session()
    let over = false
    const held = () => {
      // Closed: by now the session may be in somebody else's transaction.
      if (over) throw new StoreError('25P01', 'This transaction is over.')
      return session
    }
    const tx: Queryable = {
      async query<Row>(sql: string | Prepared, params: readonly unknown[] = []) {
        const { rows } = await held().run<QueryResultRow>(sql, params)
        return rows as Row[]
      },
      async exchange(statements) {
        return held().exchange(statements)
      },
    }
    try {
      await session.run('BEGIN')
      const result = await work(tx)
      const { command } = await session.run('COMMIT')
      // PostgreSQL answers otherwise when a statement has failed and `work` went on regardless.
      // Nothing was committed.
      if (command !== 'COMMIT') throw new StoreError('25P02', 'The transaction was rolled back.')
      return result
    } catch (error) {
      await session.rollback()
      throw error
    } finally {
      over = true
      session.release()
    }
  }

  listen(channel: string, onNotify: (payload: string | null) => void) {
    return this.#hints.listen(channel, onNotify)
  }

  notify(channel: string, payload: string) {
    return this.#hints.notify(channel, payload)
  }

  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    await this.#hints.end()
    if (this.#idle) this.#drop(this.#kept)
    await this.#pool.end()
    await this.#afterEnd()
  }

  async #session(): Promise<Session> {
    try {
      return new Session(await this.#pool.connect())
    } catch (error) {
      // Without a session nothing was sent, so it certainly took no effect.
      throw toStoreError(error, '08001')
    }
  }
}
