import { DatabaseError, type PoolClient, type QueryResult, type QueryResultRow } from 'pg'
import { StoreError, type Prepared, type Together } from './db.ts'
import { Exchange, type TextRow } from './exchange.ts'

// SQLSTATEs that condemn the session (PostgreSQL documentation, appendix A). It no longer knows
// what it has parsed (after DISCARD, or because a pooler gave us another session); or its server
// takes no writes any more, because another one has taken over. Every attempt in it would fail
// alike, and only another session can help.
const saidOfTheSession = new Set(['26000', '25006'])

/** A session of the pool, which knows whether it can be trusted with more work. */
export class Session {
  readonly #client: PoolClient
  // Owned by run(): set once an answer did not come, or was the server's goodbye.
  #lost = false

  constructor(client: PoolClient) {
    this.#client = client
  }

  async run<Row extends QueryResultRow>(
    sql: string | Prepared,
    params?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    const values = params as unknown[]
    try {
      return typeof sql === 'string'
        ? await this.#client.query<Row>(sql, values)
        : await this.#client.query<Row>({ ...sql, values })
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async exchange(statements: Together): Promise<TextRow> {
    try {
      return await new Promise<TextRow>((resolve, reject) => {
        const ended = (error: Error | null, row: TextRow = []) =>
          error ? reject(error) : resolve(row)
        this.#client.query(new Exchange(statements, ended))
      })
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /**
   * Rolls back. Never rejects: a session that cannot even roll back is lost, and the server rolls
   * back for it.
   */
  async rollback(): Promise<void> {
    if (!this.#lost) await this.run('ROLLBACK').catch(() => (this.#lost = true))
  }

  /**
   * Whether it can be trusted with more work. Closed: a session that is lost or still in a
   * transaction cannot.
   */
  get sound(): boolean {
    return !this.#lost && this.#client.getTransactionStatus() === 'I'
  }

  /** Returns it to the pool, which closes it if it is not sound. */
  release(): void {
    this.#client.release(!this.sound)
  }

  /** Calls back when the server has closed it, or it broke. */
  onEnd(ended: () => void): void {
    this.#client.once('end', () => {
      this.#lost = true
      ended()
    })
  }

  #failed(error: unknown): StoreError {
    const answered = error instanceof DatabaseError && error.severity === 'ERROR'
    if (!answered || saidOfTheSession.has(error.code!)) this.#lost = true
    return toStoreError(error)
  }
}

/**
 * The one place where a driver's error becomes ours. `otherwise`: the code for errors without a
 * SQLSTATE, which mean that there was no answer.
 */
export function toStoreError(error: unknown, otherwise = 'unavailable'): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof DatabaseError && error.code ? error.code : otherwise
  return new StoreError(code, message, { cause: error })
}
