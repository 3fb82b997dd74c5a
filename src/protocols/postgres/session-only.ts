import type { Analysis, SessionChange, Statement } from './sql/statement.ts'

/** Command tags of statements that may concern nothing but the session itself. */
const commands =
  /^(SET|RESET|SHOW|PREPARE|DEALLOCATE( ALL)?|FETCH|MOVE|CLOSE CURSOR( ALL)?|UNLISTEN|DISCARD .*)$/

const reads = /^(FETCH|MOVE)$/

/**
 * Whether a text only concerns the session: transaction control, harmless settings, names for
 * statements that are judged when they run, or more rows of a cursor that has been judged. Such a
 * text is no action and needs no rule. `cursors`: the names of the open ones.
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
  // What a cursor's query may do to the session was judged with its DECLARE.
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
