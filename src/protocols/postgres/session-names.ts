import { Names } from './names.ts'
import type { Run } from './run.ts'
import type { SessionChange, Statement } from './sql/statement.ts'

/** A text that has a name. */
export interface Prepared {
  /** Of a statement that SQL has prepared: the EXECUTE that a Bind of it is the same as. */
  readonly text: string
  /** OIDs of the parameters' types, as far as the client gave them. */
  readonly types: readonly number[]
}

/** What a Bind has made of a text. `run` is `null` where the text is only about the session. */
export interface Portal {
  readonly run: Run | null
  readonly statements: readonly Statement[]
  readonly text: string
  /** How often the session had changed what names mean (`Front`). */
  readonly changes: number
}

interface Cursor {
  readonly run: Run | null
  readonly query: Statement
  /** It outlives its transaction. */
  readonly hold: boolean
}

/** What names mean in a session: of statements, which the protocol and SQL share; of portals; of cursors. */
export class SessionNames {
  readonly statements = new Names<Prepared>()
  readonly portals = new Names<Portal>()
  readonly #cursors = new Map<string, Cursor>()
  // The texts of PREPARE statements: what EXECUTE stands for is read anew each time, since names may mean something else by then.
  readonly #prepared = new Map<string, string>()

  get cursors(): ReadonlyMap<string, Cursor> {
    return this.#cursors
  }

  /** The texts of PREPARE statements, by the names that they gave. */
  get prepared(): ReadonlyMap<string, string> {
    return this.#prepared
  }

  /** The queries of cursors, as the reading of SQL wants them. */
  get cursorQueries(): ReadonlyMap<string, Statement> {
    return new Map([...this.#cursors].map(([name, { query }]) => [name, query] as const))
  }

  /** Whether everything is confirmed. */
  get settled(): boolean {
    return this.statements.settled && this.portals.settled
  }

  /** The server has done what `statement` says, a part of `text`. */
  apply(change: SessionChange, statement: Statement, text: string, run: Run | null): void {
    switch (change.kind) {
      case 'prepare':
        this.#prepared.set(change.name, partOf(text, statement))
        this.statements.set(change.name, { text: `EXECUTE ${quoted(change.name)}`, types: [] })
        break
      case 'deallocate':
        this.#forget(change.name)
        break
      case 'discard':
        if (change.what !== 'all') break
        this.#forget(null)
        this.#cursors.clear()
        break
      case 'declare':
        this.#cursors.set(change.name, { run, query: change.query, hold: change.hold })
        break
      case 'close':
        if (change.name === null) this.#cursors.clear()
        else this.#cursors.delete(change.name)
        break
      default:
    }
  }

  /** A Parse message gave a name to another text. */
  renamed(name: string): void {
    this.#prepared.delete(name)
  }

  /** The transaction is over, and its cursors with it. */
  transactionEnded(): void {
    for (const [name, { hold }] of this.#cursors) if (!hold) this.#cursors.delete(name)
  }

  #forget(name: string | null): void {
    this.statements.set(name, null)
    if (name === null) this.#prepared.clear()
    else this.#prepared.delete(name)
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The bytes of the text that the statement is. */
function partOf(text: string, { start, end }: Statement): string {
  return Buffer.from(text).subarray(start, end).toString()
}
