import { changesNames } from './sql/changes.ts'
import type { Analysis, SessionChange, Statement } from './sql/statement.ts'

/** What a text does to its session, as far as the order of messages depends on it. */
export function has(statements: readonly Statement[], kind: SessionChange['kind']): boolean {
  return statements.some(({ session }) => session.some((change) => change.kind === kind))
}

/** It goes on after its statement: there is a cursor. */
export function declares(statements: readonly Statement[]): boolean {
  return has(statements, 'declare')
}

/** What comes after it may be the rows of a COPY. What nobody could read may be one. */
export function opensCopy({ statements, unreadable }: Analysis): boolean {
  return unreadable !== null || has(statements, 'copy-in')
}

/** The cursors that it reads on. */
export function fetchedCursors(statements: readonly Statement[]): readonly string[] {
  return namesIn(
    statements.filter((statement) => !isPositioned(statement)),
    'fetch',
  )
}

/** Whether it changes the row that a cursor stands on. */
export function isPositioned({ command, session }: Statement): boolean {
  return !/^(FETCH|MOVE)$/.test(command) && session.some(({ kind }) => kind === 'fetch')
}

/** The names of the prepared statements that it executes. */
export function executedNames(statements: readonly Statement[]): readonly string[] {
  return namesIn(statements, 'execute')
}

/** Whether it gives another meaning to the name of a prepared statement. */
export function renames({ session }: Statement): boolean {
  return session.some(
    ({ kind }) => kind === 'prepare' || kind === 'deallocate' || kind === 'discard',
  )
}

/**
 * Whether it gives a name another meaning: of tables and functions, of prepared statements or of
 * cursors.
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

/** Whether it may change a setting by which policies of tables, or views, tell rows apart. */
export function changesRows({ session }: Statement): boolean {
  return session.some(
    (change) =>
      change.kind === 'opaque' ||
      (change.kind === 'set' && (change.name === null || !change.harmless)),
  )
}

/**
 * Whether its names were settled when it was bound. A utility statement looks them up when it is
 * executed: COPY, EXECUTE, DDL.
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
