import { Names } from './names.ts'
import type { Run } from './run.ts'
import type { SessionChange, Statement } from './sql/statement.ts'

/** A text that has a name. */
export interface Prepared {
  readonly text: string
  /** OIDs of the parameters' types, as far as the client gave them. */
  readonly types: readonly number[]
}

/** What a Bind has made of a text. `run` is `null` where the text is only about the session. */
export interface Portal {
  readonly run: Run | null
  readonly statements: readonly Statement[]
  readonly text: string
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
  // Of PREPARE alone: what EXECUTE in a text stands for.
  readonly #prepared = new Map<string, Statement>()

  get cursors(): ReadonlyMap<string, Cursor> {
    return this.#cursors
  }

  /** As the reading of SQL wants them. */
  get forReading(): {
    prepared: ReadonlyMap<string, Statement>
    cursors: ReadonlyMap<string, Statement>
  } {
    const cursors = [...this.#cursors].map(([name, { query }]) => [name, query] as const)
    return { prepared: this.#prepared, cursors: new Map(cursors) }
  }

  /** Whether everything is confirmed. */
  get settled(): boolean {
    return this.statements.settled && this.portals.settled
  }

  /** The server has done what a statement says. `text` is what it is a part of. */
  apply(change: SessionChange, text: string, run: Run | null): void {
    switch (change.kind) {
      case 'prepare':
        this.#prepared.set(change.name, change.prepared)
        this.statements.set(change.name, { text: partOf(text, change.prepared), types: [] })
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

/** The bytes of the text that the statement is. */
function partOf(text: string, { start, end }: Statement): string {
  return Buffer.from(text).subarray(start, end).toString()
}
