import type { Answers } from './answers.ts'
import type { Expected } from './expected.ts'
import type { Ledger } from './ledger.ts'
import type { SessionNames } from './session-names.ts'
import type { Settings } from './settings.ts'
import type { CatalogueSource, Statement } from './sql/statement.ts'
import { has } from './statement-kinds.ts'

interface AftermathInit {
  readonly names: SessionNames
  readonly ledger: Ledger
  readonly settings: Settings
  readonly catalogues: CatalogueSource
}

/**
 * Applies what the server's answers mean for the session: for its names, for the outcomes of its
 * runs, and for what is known of the catalogue.
 */
export class Aftermath {
  readonly #init: AftermathInit
  // Owned by command() and ready(): the catalogue may have changed in this transaction.
  #ddl = false

  constructor(init: AftermathInit) {
    this.#init = init
  }

  /** A statement has succeeded. `tag` is its CommandComplete tag. */
  command(tag: string, statement: Statement | null, answer: Expected): void {
    const { run, own } = answer
    if (own) return
    const { names, ledger } = this.#init
    for (const change of statement?.session ?? []) {
      names.apply(change, statement!, answer)
      if (change.kind === 'declare' && run) ledger.opened(run)
      if (change.kind === 'savepoint') ledger.savepoint(change.name)
      if (change.kind === 'release') ledger.release(change.name)
      if (change.kind === 'ddl' || change.kind === 'opaque') this.#ddl = true
    }
    const part = statement?.session.find(({ kind }) => kind === 'rollback-to')
    if (tag === 'COMMIT') ledger.committed(run)
    else if (tag === 'PREPARE TRANSACTION') ledger.handedOver()
    else if (tag !== 'ROLLBACK') return
    else if (part?.kind === 'rollback-to') ledger.rolledBackTo(part.name)
    // We could not read this text, so we do not know how much it rolled back.
    else if (!statement) ledger.handedOver()
    else ledger.rolledBack(run)
  }

  /** ReadyForQuery. `status` is that of the transaction: `I`, `T` or `E`. */
  ready(status: string): void {
    const { names, ledger, settings, catalogues } = this.#init
    ledger.ready(status)
    settings.ready(status)
    if (status !== 'I') return
    names.portals.set(null, null)
    names.transactionEnded()
    if (!this.#ddl) return
    this.#ddl = false
    catalogues.changed()
    // Start reading the catalogue now, because the next statement will wait for it.
    void catalogues.current()
  }

  /** The session has ended, so the outstanding answers will never come. */
  lost(answers: Answers): void {
    const { outstanding, status } = answers
    const running = [...new Set(outstanding.flatMap(({ run }) => (run ? [run] : [])))]
    const on = outstanding.flatMap(({ statements }) => statements)
    // A text that we could not read may commit too.
    const isUnread = outstanding.some(({ run, statements }) => run && statements.length === 0)
    const commits = isUnread || has(on, 'commit') || has(on, 'prepare-transaction')
    // Outside of a transaction block, everything commits by itself.
    const committing = outstanding.length > 0 && (status === 'I' || commits)
    const isLost = isUnfinished(answers)
    this.#init.ledger.lost(running, {
      before: committing && !isLost,
      // What runs after a ROLLBACK may have been committed by itself.
      now: (committing || has(on, 'rollback')) && !isLost,
    })
  }
}

/**
 * Whether a COPY FROM STDIN is all that is outstanding. The server will never see the end of its
 * rows, so it cannot commit them.
 */
function isUnfinished({ outstanding, copyIn }: Answers): boolean {
  const [copying, ...others] = outstanding
  return copyIn && others.length === 0 && copying!.statements.length === 1
}
