import type { ColumnRef } from 'libpg-query'
import { callProjection } from './calls.ts'
import { texts } from './nodes.ts'
import type { Scope, Source } from './scope.ts'
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

/** A column of something by name; `false` if it has none of that name. */
export function readColumn(source: Source, name: string, { found }: Walk): boolean {
  const columns = source.columns.get(name)
  if (columns) found.add('columns', ...columns)
  return columns !== undefined || (source.stored && system.has(name))
}

/** A whole row: `t.*`, or `t` where a value is expected. */
function readWhole(source: Source, { found }: Walk): void {
  for (const columns of source.columns.values()) found.add('columns', ...columns)
}

/** `qualifier`: an alias or a table, after a schema perhaps. `column`: `null` for all of them. */
function readOf(
  qualifier: readonly string[],
  column: string | null,
  scope: Scope,
  walk: Walk,
): void {
  const source = scope.sourceOf(qualifier.at(-1)!, qualifier.at(-2) ?? null)
  if (!source) {
    // `new` and `old` in RETURNING, and what the server will refuse: closed, either way.
    walk.found.hide(`What ${qualifier.join('.')} stands for is not known.`, 'columns')
    if (column !== null) callProjection(column, walk)
    return
  }
  if (column === null) return readWhole(source, walk)
  if (readColumn(source, column, walk)) return
  readWhole(source, walk)
  callProjection(column, walk)
}

function readUnqualified(name: string, scope: Scope, walk: Walk): void {
  let open = false
  for (const level of scope.levels()) {
    const having = level.sources.filter((source) => readColumn(source, name, walk))
    if (having.length > 0) return
    if (level.outputNames.has(name)) return
    const row = level.sources.find(({ alias }) => alias === name)
    if (row) return readWhole(row, walk)
    open ||= level.sources.some((source) => source.open)
  }
  if (!open) walk.found.hide(`Whose column ${name} is, is not known.`, 'columns')
}
