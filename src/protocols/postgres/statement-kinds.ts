import { changesNames } from './sql/changes.ts'
import type { Analysis, SessionChange, Statement } from './sql/statement.ts'

/** Whether a statement makes a change of this kind to its session. */
export function has(statements: readonly Statement[], kind: SessionChange['kind']): boolean {
  return statements.some(({ session }) => session.some((change) => change.kind === kind))
}

/** Whether a cursor is declared, so that the run goes on after its statement. */
export function declares(statements: readonly Statement[]): boolean {
  return has(statements, 'declare')
}

/** Whether rows of a COPY may follow. A text that we could not read may be a COPY. */
export function opensCopy({ statements, unreadable }: Analysis): boolean {
  return unreadable !== null || has(statements, 'copy-in')
}

/** The cursors that the statements read from. */
export function fetchedCursors(statements: readonly Statement[]): readonly string[] {
  return namesIn(
    statements.filter((statement) => !isPositioned(statement)),
    'fetch',
  )
}

/** Whether it changes the row that a cursor stands on (WHERE CURRENT OF). */
export function isPositioned({ command, session }: Statement): boolean {
  return !/^(FETCH|MOVE)$/.test(command) && session.some(({ kind }) => kind === 'fetch')
}

/** The names of the prepared statements that they execute. */
export function executedNames(statements: readonly Statement[]): readonly string[] {
  return namesIn(statements, 'execute')
}

/** Whether it changes what the name of a prepared statement means. */
export function renames({ session }: Statement): boolean {
  return session.some(
    ({ kind }) => kind === 'prepare' || kind === 'deallocate' || kind === 'discard',
  )
}

/**
 * Whether it changes what a name means, be it of a table, a function, a prepared statement or a
 * cursor.
 */
export function changesMeaning(statement: Statement): boolean {
  const { session } = statement
  return (
    renames(statement) ||
    session.some(
      (change) =>
        change.kind === 'declare' || change.kind === 'close' || changesNames(change, true),
    )
  )
}

/** Whether it may change a setting that views or policies of tables select rows by. */
export function changesRows({ session }: Statement): boolean {
  return session.some(
    (change) =>
      change.kind === 'opaque' ||
      (change.kind === 'set' && (change.name === null || !change.harmless)),
  )
}

/**
 * Whether Bind has settled what its names mean. Utility statements (COPY, EXECUTE, DDL) look their
 * names up when they are executed.
 */
export function settledByBind({ command, control, session }: Statement): boolean {
  const isPlan = /^(SELECT|INSERT|UPDATE|DELETE|MERGE)$/.test(command)
  return control || (isPlan && session.every(({ kind }) => kind === 'opaque'))
}

function namesIn(statements: readonly Statement[], kind: 'fetch' | 'execute'): string[] {
  return statements.flatMap(({ session }) =>
    session.flatMap((change) => (change.kind === kind ? [change.name] : [])),
  )
}
