import type { Expected } from './expected.ts'
import { Names } from './names.ts'
import type { Run } from './run.ts'
import type { SessionChange, Statement } from './sql/statement.ts'
import { fetchedCursors, renames, settledByBind } from './statement-kinds.ts'
import { WireFault } from './wire/fault.ts'

/**
 * Of a change that nothing may rely on before it is confirmed, not even what follows it in its
 * segment.
 */
const noSegment = -1

const nothing = (): void => {}

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

/**
 * What names mean in a session: of statements, which the protocol and SQL share; of portals; of
 * cursors.
 */
export class SessionNames {
  readonly statements = new Names<Prepared>()
  readonly portals = new Names<Portal>()
  readonly #cursors = new Map<string, Cursor>()
  // The texts of PREPARE statements: what EXECUTE stands for is read anew each time, since names
  // may mean something else by then.
  readonly #prepared = new Map<string, string>()
  // Bytes, nearly, of what has got a name, some of which may have been forgotten since.
  #remembered = 0

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
  apply(change: SessionChange, statement: Statement, answer: Expected): void {
    const { run } = answer
    switch (change.kind) {
      case 'prepare':
        this.#prepared.set(change.name, partOf(answer, statement))
        this.statements.set(change.name, { text: `EXECUTE ${quoted(change.name)}`, types: [] })
        this.remember({ text: this.#prepared.get(change.name)!, types: [] })
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
        this.portals.set(change.name, null)
        this.#cursors.set(change.name, { run, query: change.query, hold: change.hold })
        break
      case 'close':
        this.portals.set(change.name, null)
        if (change.name === null) this.#cursors.clear()
        else this.#cursors.delete(change.name)
        break
      default:
    }
  }

  /**
   * Texts with a name are kept for as long as the server keeps them. Throws a `WireFault` where
   * that is more than anybody needs.
   */
  remember(prepared: Prepared): void {
    this.#remembered += sizeOf(prepared)
    if (this.#remembered <= mostRemembered) return
    this.#remembered = sizeOf(prepared)
    for (const known of this.statements.values()) this.#remembered += sizeOf(known)
    for (const text of this.#prepared.values()) this.#remembered += text.length
    if (this.#remembered > mostRemembered)
      throw new WireFault('too many prepared statements in one session', '53200')
  }

  /** A Parse message gave a name to another text. */
  renamed(name: string): void {
    this.#prepared.delete(name)
  }

  /**
   * Whether a portal by this name looks its own names up when it is executed, and has not begun.
   */
  mayMeanAnother(name: string): boolean {
    const portal = this.portals.all.get(name)
    return portal?.run?.started === false && !portal.statements.every(settledByBind)
  }

  /**
   * A Bind or Close message gave a portal its name, or took it away. Cursors have the same names,
   * so none has this one now.
   */
  portalRenamed(name: string): void {
    this.#cursors.delete(name)
  }

  /** What asked for the cursor that these statements read on. */
  fed(statements: readonly Statement[]): Run | null {
    const [name] = fetchedCursors(statements)
    if (name === undefined) return null
    return this.#cursors.get(name)?.run ?? this.portals.all.get(name)?.run ?? null
  }

  /**
   * Behind a statement that gives names to other texts, none is certain before the server has
   * answered it. Returns what is to be called then.
   */
  unsettledBy(statements: readonly Statement[], isAction: boolean): () => void {
    // What nobody could read may do that too.
    const isUnread = statements.length === 0 && isAction
    if (!isUnread && !statements.some(renames)) return nothing
    const change = this.statements.announce(null, null, noSegment)
    return () => this.statements.settle(change, false)
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

/** Bytes of all texts together that have a name in one session. */
const mostRemembered = 32 * 1024 * 1024

/** With what a text takes that is empty. */
function sizeOf({ text, types }: Prepared): number {
  return 200 + text.length + types.length * 8
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text may have thousands of them. */
const bytesOf = new WeakMap<Expected, Buffer>()

/** The bytes of the text that the statement is. */
function partOf(answer: Expected, { start, end }: Statement): string {
  const bytes = bytesOf.get(answer) ?? Buffer.from(answer.text)
  bytesOf.set(answer, bytes)
  return bytes.toString('utf8', start, end)
}
