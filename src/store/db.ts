/**
 * A statement that is sent again and again: each session of the server reads and plans it once, and
 * knows it by its name from then on.
 */
export interface Prepared {
  readonly name: string
  readonly text: string
}

/** Statements that go out together, with their values (`Statements`). */
export interface Together {
  /**
   * As messages of the protocol, for a session that has read the statements in `known` before; and
   * the names of those that it reads now. The bytes are good until `sent`.
   */
  messages(known: ReadonlySet<string>): { readonly bytes: Buffer; readonly read: readonly string[] }
  /**
   * Nobody reads the bytes any more: the socket has written them, or never will. Called at most
   * once, and last.
   */
  sent(): void
  /**
   * Takes what COPY … TO STDOUT gives, a row at a time; the bytes are good until it returns, and it
   * throws nothing.
   */
  copied?(bytes: Buffer): void
}

/** Something that SQL can be sent to: the store itself, or one transaction of it. */
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
   * Runs several statements in one round trip; outside of a transaction they are one, so that all
   * of them take effect, or none. Returns the last row, as text. Rejects with `StoreError`.
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
   * READ COMMITTED. Commits when `work` resolves, rolls back when it rejects. Work must not use the
   * store itself.
   */
  tx<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /**
   * A hint, never a promise: notifications get lost when the connection does. `onNotify` is also
   * called, with `null`, after each reconnect, so that the listener looks again at everything.
   * Returns the function that stops listening.
   */
  listen(channel: string, onNotify: (payload: string | null) => void): Promise<() => Promise<void>>
  /** Sends a hint, outside of any transaction: inside one it would serialise commits. */
  notify(channel: string, payload: string): Promise<void>
  end(): Promise<void>
}

/**
 * A database error by its SQLSTATE (PostgreSQL, appendix A); `unavailable` when there was no answer
 * to have one, and 08001 when there was not even a session to ask in.
 */
export class StoreError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }

  /**
   * Whether it is not known if the statement took effect: the connection was lost, or the server is
   * going down.
   */
  get ambiguous(): boolean {
    return this.code === 'unavailable' || this.code.startsWith('08') || this.code.startsWith('57P')
  }
}
