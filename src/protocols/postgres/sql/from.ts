import type { JoinExpr, Node, RangeFunction, RangeSubselect } from 'libpg-query'
import { callFunction, callOperator } from './calls.ts'
import { readColumn } from './column-refs.ts'
import { texts } from './nodes.ts'
import { readFrom } from './relations.ts'
import { derived, type Scope, type Source } from './scope.ts'
import type { Walk } from './walk.ts'

/** Reads what a query takes its rows from into its scope. `true`: stored rows are among them, all of them unless a condition says otherwise. */
export function readFromClause(items: readonly Node[], scope: Scope, walk: Walk): boolean {
  return items.map((item) => readItem(item, scope, walk)).some(Boolean)
}

function readItem(node: Node, scope: Scope, walk: Walk): boolean {
  if ('RangeVar' in node) {
    const { schemaname, relname = '', alias } = node.RangeVar
    const query = schemaname === undefined ? scope.query(relname) : null
    if (!query) {
      scope.sources.push(...readFrom(node.RangeVar, walk))
      return true
    }
    scope.sources.push(derived(alias?.aliasname ?? relname, query, texts(alias?.colnames)))
    return false
  }
  if ('JoinExpr' in node) return readJoin(node.JoinExpr, scope, walk)
  if ('RangeSubselect' in node) return readSubselect(node.RangeSubselect, scope, walk)
  if ('RangeFunction' in node) return readFunctions(node.RangeFunction, scope, walk)
  if ('RangeTableSample' in node) {
    const { relation, method, args, repeatable } = node.RangeTableSample
    callFunction(texts(method), walk)
    walk.readers.expression([args, repeatable], scope, walk)
    return relation ? readItem(relation, scope, walk) : false
  }
  if ('RangeTableFunc' in node || 'JsonTable' in node) {
    const { alias, ...parts } = 'JsonTable' in node ? node.JsonTable : node.RangeTableFunc
    walk.readers.expression(parts, scope, walk)
    scope.sources.push(anything(alias?.aliasname ?? ''))
    return false
  }
  walk.found.obscure('It takes rows from something that is not understood.')
  return true
}

function readSubselect({ subquery, alias }: RangeSubselect, scope: Scope, walk: Walk): boolean {
  if (!subquery) return false
  // Without LATERAL the neighbours are out of reach: the server refuses a query that names one, so that seeing them here opens nothing.
  const outputs = walk.readers.query(subquery, scope, walk)
  scope.sources.push(derived(alias?.aliasname ?? '', outputs, texts(alias?.colnames)))
  return false
}

function readFunctions(range: RangeFunction, scope: Scope, walk: Walk): boolean {
  const calls = (range.functions ?? []).flatMap((node) =>
    'List' in node ? (node.List.items ?? []) : [node],
  )
  // The second of each pair is a list of column definitions, or empty.
  for (const call of calls) if (!isDefinitions(call)) walk.readers.expression(call, scope, walk)
  for (const definition of [...calls.filter(isDefinitions), ...(range.coldeflist ?? [])]) {
    readDefinition(definition, scope, walk)
  }
  scope.sources.push(anything(range.alias?.aliasname ?? nameOf(calls[0])))
  return false
}

function isDefinitions(node: Node): boolean {
  return 'ColumnDef' in node || ('List' in node && node.List.items?.some(isDefinitions) === true)
}

function readDefinition(node: Node, scope: Scope, walk: Walk): void {
  if ('List' in node) for (const item of node.List.items ?? []) readDefinition(item, scope, walk)
  if ('ColumnDef' in node && node.ColumnDef.typeName) {
    walk.readers.expression({ TypeName: node.ColumnDef.typeName }, scope, walk)
  }
}

function nameOf(node: Node | undefined): string {
  return node && 'FuncCall' in node ? (texts(node.FuncCall.funcname).at(-1) ?? '') : ''
}

/** What a function returns has columns that only the server knows. They are computed, not stored. */
function anything(alias: string): Source {
  return { alias, schema: null, columns: new Map([[alias, []]]), open: true, stored: false }
}

function readJoin(join: JoinExpr, scope: Scope, walk: Walk): boolean {
  const before = scope.sources.length
  const left = join.larg ? readItem(join.larg, scope, walk) : false
  const between = scope.sources.length
  const right = join.rarg ? readItem(join.rarg, scope, walk) : false
  const using = texts(join.usingClause)
  const lefts = scope.sources.slice(before, between)
  const rights = scope.sources.slice(between)
  const shared = join.isNatural ? lefts.flatMap(({ columns }) => [...columns.keys()]) : using
  if (join.isNatural || using.length > 0) callOperator(['='], walk)
  for (const name of shared) {
    const both = [lefts, rights].every((side) =>
      side.some((one) => one.open || one.columns.has(name)),
    )
    if (!both) continue
    for (const source of [...lefts, ...rights]) readColumn(source, name, walk)
  }
  walk.readers.expression(join.quals, scope, walk)
  const alias = join.alias ?? join.join_using_alias
  // A name for the whole join stands for the columns of both sides.
  if (alias)
    scope.sources.push(joined(alias.aliasname ?? '', [...lefts, ...rights], texts(alias.colnames)))
  return left || right
}

function joined(alias: string, sides: readonly Source[], renamed: readonly string[]): Source {
  const list = sides.flatMap(({ columns }) =>
    [...columns].map(([name, stored]) => ({ name, columns: stored })),
  )
  return derived(alias, { list, open: true }, renamed, true)
}
