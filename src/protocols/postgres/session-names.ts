import type { Expected } from './expected.ts'
import { Names } from './names.ts'
import type { Run } from './run.ts'
import type { SessionChange, Statement } from './sql/statement.ts'
import { fetchedCursors, renames, settledByBind } from './statement-kinds.ts'
import { WireFault } from './wire/fault.ts'

/**
 * The segment of a change that nothing may rely on before it is confirmed, not even what follows it
 * in its own segment.
 */
const noSegment = -1

const nothing = (): void => {}

/** A text that has a name as a prepared statement. */
export interface Prepared {
  /** For a statement that SQL has prepared, the EXECUTE that binding it amounts to. */
  readonly text: string
  /** OIDs of the parameters' types, as far as the client gave them. */
  readonly types: readonly number[]
}

/** What a Bind has made of a text. `run` is `null` where the text only concerns the session. */
export interface Portal {
  readonly run: Run | null
  readonly statements: readonly Statement[]
  readonly text: string
  /** How often the session had changed what names mean when this was bound (`Course`). */
  readonly changes: number
}

interface Cursor {
  readonly run: Run | null
  readonly query: Statement
  /** Whether it outlives its transaction (WITH HOLD). */
  readonly hold: boolean
}

/**
 * What names mean in a session: those of prepared statements, which the protocol and SQL share, of
 * portals, and of cursors.
 */
export class SessionNames {
  readonly statements = new Names<Prepared>()
  readonly portals = new Names<Portal>()
  readonly #cursors = new Map<string, Cursor>()
  // The texts of PREPARE statements. They are read anew for each EXECUTE, since names may mean
  // something else by then.
  readonly #prepared = new Map<string, string>()
  // Roughly the bytes of all texts that got a name, including some that were forgotten since.
  #remembered = 0

  get cursors(): ReadonlyMap<string, Cursor> {
    return this.#cursors
  }

  /** The texts of PREPARE statements, by the names that they defined. */
  get prepared(): ReadonlyMap<string, string> {
    return this.#prepared
  }

  /** The queries of cursors, in the form that the analysis takes. */
  get cursorQueries(): ReadonlyMap<string, Statement> {
    return new Map([...this.#cursors].map(([name, { query }]) => [name, query] as const))
  }

  /** Whether everything is confirmed. */
  get settled(): boolean {
    return this.statements.settled && this.portals.settled
  }

  /**
   * Applies a change that the server has confirmed. `statement` is part of the text of `answer`.
   */
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
   * Counts a text that gets a name, which we keep for as long as the server does. Throws a
   * `WireFault` where one session names more than `mostRemembered`.
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

  /** A Parse or Close message has redefined or removed a name. */
  renamed(name: string): void {
    this.#prepared.delete(name)
  }

  /**
   * Whether the portal of this name has not begun, and will look up its names only when it is
   * executed.
   */
  mayMeanAnother(name: string): boolean {
    const portal = this.portals.all.get(name)
    return portal?.run?.started === false && !portal.statements.every(settledByBind)
  }

  /**
   * A Bind or Close message has redefined or removed a portal. Cursors share their names with
   * portals, so none has this name now.
   */
  portalRenamed(name: string): void {
    this.#cursors.delete(name)
  }

  /** The run that opened the cursor which these statements read on. */
  fed(statements: readonly Statement[]): Run | null {
    const [name] = fetchedCursors(statements)
    if (name === undefined) return null
    return this.#cursors.get(name)?.run ?? this.portals.all.get(name)?.run ?? null
  }

  /**
   * After a statement that changes names, none of them is certain before the server has answered
   * it. Returns what to call then.
   */
  unsettledBy(statements: readonly Statement[], isAction: boolean): () => void {
    // A text that we could not read may do that too.
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

/** Bytes of all named texts in one session together. */
const mostRemembered = 32 * 1024 * 1024

/** Includes what an entry takes even when its text is empty. */
function sizeOf({ text, types }: Prepared): number {
  return 200 + text.length + types.length * 8
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Cached, because one text may have thousands of PREPAREs. */
const bytesOf = new WeakMap<Expected, Buffer>()

/** The part of the text that is this statement; `start` and `end` count bytes. */
function partOf(answer: Expected, { start, end }: Statement): string {
  const bytes = bytesOf.get(answer) ?? Buffer.from(answer.text)
  bytesOf.set(answer, bytes)
  return bytes.toString('utf8', start, end)
}
