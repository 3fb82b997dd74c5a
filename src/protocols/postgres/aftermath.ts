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
 * What the server's answers mean for the session: for its names, for what became of its runs, and
 * for what is known of the catalogue.
 */
export class Aftermath {
  readonly #init: AftermathInit
  // Owned by command() and ready(): the catalogue may have changed in this transaction.
  #ddl = false

  constructor(init: AftermathInit) {
    this.#init = init
  }

  /** A statement has ended well. `tag` is what the server calls it. */
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
    // A text that nobody could read: how far back it went is not known.
    else if (!statement) ledger.handedOver()
    else ledger.rolledBack(run)
  }

  /** The server waits for the next question; `status` is that of its transaction. */
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
    // Ahead of the next statement, which waits for it.
    void catalogues.current()
  }

  /** The session has ended, and these answers will never come. */
  lost(answers: Answers): void {
    const { outstanding, status } = answers
    const running = [...new Set(outstanding.flatMap(({ run }) => (run ? [run] : [])))]
    const on = outstanding.flatMap(({ statements }) => statements)
    // What nobody could read may commit too.
    const isUnread = outstanding.some(({ run, statements }) => run && statements.length === 0)
    const commits = isUnread || has(on, 'commit') || has(on, 'prepare-transaction')
    // Outside of a transaction block, everything commits by itself.
    const committing = outstanding.length > 0 && (status === 'I' || commits)
    const isLost = isUnfinished(answers)
    this.#init.ledger.lost(running, {
      before: committing && !isLost,
      // Behind a roll-back, too.
      now: (committing || has(on, 'rollback')) && !isLost,
    })
  }
}

/**
 * Whether the server waits for rows, and will never see the last of them: what it copies them for
 * cannot be committed.
 */
function isUnfinished({ outstanding, copyIn }: Answers): boolean {
  const [copying, ...others] = outstanding
  return copyIn && others.length === 0 && copying!.statements.length === 1
}
