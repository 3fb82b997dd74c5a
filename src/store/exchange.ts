import type { Connection, Submittable } from 'pg'
import type { Together } from './db.ts'

/** Values of one row, as text. */
export type TextRow = readonly (string | null)[]

// The names of the statements that each session has parsed.
const known = new WeakMap<Connection, Set<string>>()

/**
 * One exchange with the server, for the driver's queue. Everything goes out in one write that ends
 * with a Sync, and so takes effect as one. Of the answers, only the last row and the first error
 * are kept.
 */
export class Exchange implements Submittable {
  readonly #statements: Together
  // Owned by submit(): what the session has parsed if this succeeds.
  #names = new Set<string>()
  #read: readonly string[] = []
  // Owned by handleDataRow().
  #row: TextRow = []
  /** The driver wraps this in a callback of its own, which ends its time limit. */
  callback: (error: Error | null, row?: TextRow) => void

  constructor(statements: Together, callback: (error: Error | null, row?: TextRow) => void) {
    this.#statements = statements
    this.callback = callback
  }

  submit(connection: Connection): void {
    this.#names = known.get(connection) ?? new Set()
    known.set(connection, this.#names)
    const { bytes, read } = this.#statements.messages(this.#names)
    this.#read = read
    connection.stream.write(bytes, () => this.#statements.sent())
  }

  handleDataRow({ fields }: { fields: TextRow }): void {
    this.#row = fields
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    this.#statements.copied?.(chunk)
  }

  handleCommandComplete(): void {}

  /** The ReadyForQuery that follows is for the driver alone. */
  handleError(error: Error): void {
    this.callback(error)
  }

  handleReadyForQuery(): void {
    for (const name of this.#read) this.#names.add(name)
    this.callback(null, this.#row)
  }
}
