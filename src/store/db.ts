/**
 * A frequent statement. Each session of the server parses and plans it once, and knows it by its
 * name from then on.
 */
export interface Prepared {
  readonly name: string
  readonly text: string
}

/** Statements that are sent together, with their values (`Statements`). */
export interface Together {
  /**
   * The statements as messages of the protocol, for a session that has parsed those in `known`, and
   * the names of those that it parses now. The bytes are valid until `sent`.
   */
  messages(known: ReadonlySet<string>): { readonly bytes: Buffer; readonly read: readonly string[] }
  /**
   * The bytes are no longer needed, because the socket has written them or never will. Called at
   * most once, and last.
   */
  sent(): void
  /**
   * Takes the rows of a COPY … TO STDOUT, one at a time. The bytes are valid until it returns. It
   * must not throw.
   */
  copied?(bytes: Buffer): void
}

/** Something that runs SQL: the store itself, or one of its transactions. */
export interface Queryable {
  /**
   * Runs one statement with `$1`-style parameters and returns its rows. Both stores align types
   * alike: `bigint` becomes a JavaScript number when safe, `bytea` a Buffer, `timestamptz` a Date,
   * JSON its value. Rejects with `StoreError`.
   */
  query<Row = Record<string, unknown>>(
    sql: string | Prepared,
    params?: readonly unknown[],
  ): Promise<Row[]>
  /**
   * Runs several statements in one round trip. Outside a transaction they form one, so all of them
   * take effect or none. Resolves to the last row, as text. Rejects with a `StoreError`.
   */
  exchange(statements: Together): Promise<readonly (string | null)[]>
}

/**
 * The one shared state: PostgreSQL 15 or later, or the embedded PGlite. Every session runs as the
 * role `sallyport_gateway`, which can only insert into the audit tables.
 */
export interface Store extends Queryable {
  readonly kind: 'postgres' | 'embedded'
  /**
   * Runs `work` in a transaction (READ COMMITTED). Commits when it resolves, rolls back when it
   * rejects. `work` must not use the store itself.
   */
  tx<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /**
   * Listens for hints. Notifications get lost with their connection, so `onNotify` is also called
   * with `null` after each reconnect, for the listener to look at everything again. Resolves to a
   * function that stops listening.
   */
  listen(channel: string, onNotify: (payload: string | null) => void): Promise<() => Promise<void>>
  /** Sends a hint, outside any transaction: inside one it would serialise commits. */
  notify(channel: string, payload: string): Promise<void>
  end(): Promise<void>
}

/**
 * A database error with its SQLSTATE (PostgreSQL documentation, appendix A); `unavailable` when
 * there was no answer, and 08001 when there was not even a session.
 */
export class StoreError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }

  /**
   * Whether the statement may have taken effect: the connection was lost, or the server is going
   * down.
   */
  get ambiguous(): boolean {
    return this.code === 'unavailable' || this.code.startsWith('08') || this.code.startsWith('57P')
  }
}
