import type { Analysis, SessionChange, Statement } from './sql/statement.ts'

/** What the server calls statements that concern nothing but the session itself. */
const commands =
  /^(SET|RESET|SHOW|PREPARE|DEALLOCATE( ALL)?|FETCH|MOVE|CLOSE CURSOR( ALL)?|UNLISTEN|DISCARD .*)$/

const reads = /^(FETCH|MOVE)$/

/**
 * Whether a text is only about the session: transaction control, settings that mean nothing to
 * anybody else, names for what is judged when it runs, more rows of a cursor that has been judged.
 * It needs no rule, and is no action. `cursors`: the names of those that are open.
 */
export function isSessionOnly(
  { statements, unreadable }: Analysis,
  cursors: Pick<ReadonlySet<string>, 'has'>,
): boolean {
  return !unreadable && statements.every((statement) => concernsSession(statement, cursors))
}

function concernsSession(
  { control, command, session }: Statement,
  cursors: Pick<ReadonlySet<string>, 'has'>,
): boolean {
  if (control) return true
  // What a cursor's query does to the session was judged with its DECLARE.
  const changes = reads.test(command) ? session.filter(({ kind }) => kind !== 'opaque') : session
  return commands.test(command) && changes.every((change) => isOwnBusiness(change, cursors))
}

function isOwnBusiness(change: SessionChange, cursors: Pick<ReadonlySet<string>, 'has'>): boolean {
  switch (change.kind) {
    case 'set':
      return change.harmless
    case 'prepare':
    case 'deallocate':
    case 'close':
    case 'unlisten':
    case 'discard':
      return true
    case 'fetch':
      return cursors.has(change.name)
    default:
      return false
  }
}
