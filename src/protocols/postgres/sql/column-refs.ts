import type { ColumnRef, Node } from 'libpg-query'
import { callProjection } from './calls.ts'
import { isStruct, texts, untag } from './nodes.ts'
import type { Outputs, Scope, Source } from './scope.ts'
import type { Walk } from './walk.ts'

const system = new Set(['tableoid', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax'])

/** Adds the stored columns that a reference names. */
export function readColumns({ fields }: ColumnRef, scope: Scope, walk: Walk): void {
  const names = texts(fields)
  const star = fields?.some((field) => 'A_Star' in field) === true
  if (star && names.length === 0) {
    for (const source of scope.sources) readWhole(source, walk)
  } else if (star) {
    readOf(names, null, scope, walk)
  } else if (names.length === 1) {
    readUnqualified(names[0]!, scope, walk)
  } else {
    readOf(names.slice(0, -1), names.at(-1)!, scope, walk)
  }
}

/** Adds a column by its name. Returns `false` if the source has none of that name. */
export function readColumn(source: Source, name: string, { found }: Walk): boolean {
  const columns = source.columns.get(name)
  if (columns) found.add('columns', ...columns)
  return columns !== undefined || (source.stored && system.has(name))
}

/** Adds a whole row: `t.*`, or `t` where a value is expected. */
function readWhole(source: Source, { found }: Walk): void {
  for (const columns of source.columns.values()) found.add('columns', ...columns)
}

/** `qualifier`: an alias or a table, perhaps after a schema. `column`: `null` for all columns. */
function readOf(
  qualifier: readonly string[],
  column: string | null,
  scope: Scope,
  walk: Walk,
): void {
  const source = scope.sourceOf(qualifier.at(-1)!, qualifier.at(-2) ?? null)
  if (!source) {
    // Closed: `new` or `old` in RETURNING, or a name that the server will refuse.
    walk.found.hide(`What ${qualifier.join('.')} stands for is not known.`, 'columns')
    if (column !== null) callProjection(column, walk)
    return
  }
  if (column === null) return readWhole(source, walk)
  if (readColumn(source, column, walk)) return
  readWhole(source, walk)
  callProjection(column, walk)
}

/**
 * A column of any level takes precedence over a row by that name (parse_expr.c,
 * transformColumnRef).
 */
function readUnqualified(name: string, scope: Scope, walk: Walk): void {
  let mayBe = false
  for (const level of scope.levels()) {
    if (readOwn(name, level, walk)) return
    // A view has no system columns, so the name may belong to an outer level.
    mayBe ||= level.sources.some(({ open, stored }) => open || (stored && system.has(name)))
  }
  const row = scope.sourceOf(name, null)
  if (row) readWhole(row, walk)
  else if (!mayBe) walk.found.hide(`Whose column ${name} is, is not known.`, 'columns')
}

/** Adds the columns of that name in the FROM of this level. Returns `false` if there are none. */
function readOwn(name: string, { sources }: Scope, { found }: Walk): boolean {
  const having = sources.flatMap(({ columns }) => columns.get(name) ?? [])
  found.add('columns', ...having)
  return sources.some(({ columns }) => columns.has(name))
}

/**
 * In ORDER BY, GROUP BY and DISTINCT ON, a bare name can be that of a result column, which has been
 * read already (PostgreSQL documentation, "ORDER BY Clause"). Within an expression it cannot.
 * Returns whether this was such a name.
 */
export function readResultName(
  node: unknown,
  { list }: Outputs,
  scope: Scope,
  walk: Walk,
): boolean {
  const [tag, { fields }] = (isStruct(node) && untag(node)) || ['', { fields: [] }]
  const [name, ...more] = tag === 'ColumnRef' ? texts(fields as Node[]) : []
  if (name === undefined || more.length > 0) return false
  if (!list.some((output) => output.name === name)) return false
  // GROUP BY prefers a column of the FROM clause.
  readOwn(name, scope, walk)
  return true
}
