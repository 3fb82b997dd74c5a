import type {
  DeclareCursorStmt,
  ExecuteStmt,
  ExplainStmt,
  FetchStmt,
  Node,
  PrepareStmt,
} from 'libpg-query'
import { Findings } from './findings.ts'
import { finish } from './finish.ts'
import { isStruct } from './nodes.ts'
import { Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/**
 * Reads EXPLAIN. It only plans, but planning evaluates functions that are declared immutable, so an
 * unknown effect stays unknown. With ANALYZE it runs the statement.
 */
export function readExplain({ query, options }: ExplainStmt, walk: Walk): void {
  const { found } = walk
  found.command = 'EXPLAIN'
  const inner = new Findings()
  if (query) walk.readers.statement(query, { ...walk, found: inner })
  found.add('verb', 'explain')
  if (runs(options ?? [])) {
    found.include(inner)
    found.takesAll ||= inner.takesAll
    // EXPLAIN opens no cursor, so the meaning of its name does not change.
    const done = inner.session.filter(({ kind }) => kind !== 'opaque' && kind !== 'declare')
    found.session.push(...done)
    return
  }
  found.add('tables_read', ...inner.names('tables_written'))
  const { effect } = inner
  inner.effect = effect === 'unknown' ? 'unknown' : 'read'
  found.include(inner, ['verb', 'tables_written'])
}

/** The server goes by the last ANALYZE option. Closed: any that may turn it on counts. */
function runs(options: readonly Node[]): boolean {
  return options.some((node) => {
    if (!('DefElem' in node) || node.DefElem.defname !== 'analyze') return false
    const { arg } = node.DefElem
    if (arg === undefined) return true
    const word = 'String' in arg ? (arg.String.sval ?? '') : JSON.stringify(arg)
    return !/^(false|off|0|\{"Integer":\{(?:"ival":0)?\}\}|\{"Boolean":\{\}\})$/i.test(word)
  })
}

/**
 * Reads PREPARE, and its query as if it ran: the protocol can bind a statement that SQL has
 * prepared.
 */
export function readPrepare({ name = '', query, argtypes }: PrepareStmt, walk: Walk): void {
  const { found } = walk
  const inner = new Findings()
  const inside = { ...walk, found: inner }
  walk.readers.expression(argtypes, new Scope(null), inside)
  if (query) walk.readers.statement(query, inside)
  found.command = 'PREPARE'
  found.add('verb', 'prepare')
  found.include(inner)
  found.takesAll ||= inner.takesAll
  const prepared = finish(inner, query ?? null, { start: 0, end: 0 })
  found.session.push({ kind: 'prepare', name, prepared })
}

export function readExecute({ name = '', params }: ExecuteStmt, walk: Walk): void {
  const { found, context } = walk
  const prepared = context.prepared.get(name)
  // CommandComplete names the command of the prepared statement.
  found.command = prepared?.command ?? 'EXECUTE'
  found.add('verb', 'execute')
  walk.readers.expression(params, new Scope(null), walk)
  found.session.push({ kind: 'execute', name })
  found.ofSession = true
  if (!prepared) {
    found.add('verb', 'other')
    found.clouds()
    return found.obscure(`It runs ${name}, which nobody has announced.`)
  }
  found.includeStatement(prepared)
  found.session.push(...prepared.session)
}

const withHold = 0x20 // CURSOR_OPT_HOLD of parsenodes.h

export function readDeclare(statement: DeclareCursorStmt, walk: Walk): void {
  const { portalname: name = '', options = 0, query } = statement
  const { found } = walk
  const inner = new Findings()
  if (query) walk.readers.statement(query, { ...walk, found: inner })
  found.command = 'DECLARE CURSOR'
  found.add('verb', 'declare')
  found.include(inner)
  found.takesAll ||= inner.takesAll
  const hold = (options & withHold) !== 0
  const read = finish(inner, query ?? null, { start: 0, end: 0 })
  found.session.push({ kind: 'declare', name, hold, query: read })
}

const all = 2_147_483_647 // FETCH_ALL of parsenodes.h, as far as the parser's JSON can hold it

/** Reads FETCH and MOVE, which run more of a cursor's query. That was judged with its DECLARE. */
export function readFetch(statement: FetchStmt, { context, found }: Walk): void {
  const { portalname: name = '', direction, ismove = false } = statement
  const howMany = Number(statement.howMany ?? 0)
  const relative = direction === 'FETCH_ABSOLUTE' || direction === 'FETCH_RELATIVE'
  found.command = ismove ? 'MOVE' : 'FETCH'
  found.add('verb', 'fetch')
  const rows = relative ? 1 : Math.abs(howMany) >= all ? null : Math.abs(howMany)
  found.limit = rows
  found.session.push({ kind: 'fetch', name, rows })
  found.ofSession = true
  const query = context.cursors.get(name)
  if (query) found.includeStatement(query)
  else found.obscure(`It reads from the cursor ${name}, which nobody has announced.`)
  // Whatever the query does to the session happens now, row by row.
  if (!query || query.session.length > 0) found.clouds()
}

/** Reads DO and CALL, which may do anything. */
export function readCode(kind: 'do' | 'call', node: unknown, walk: Walk): void {
  const { found } = walk
  found.command = kind.toUpperCase()
  found.add('verb', kind)
  if (isStruct(node)) walk.readers.expression({ FuncCall: node }, new Scope(null), walk)
  found.obscure(`What ${kind.toUpperCase()} does is not known.`)
  found.clouds()
}
