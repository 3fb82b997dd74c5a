import type { Alias, Node, RangeFunction, RangeSubselect, RangeTableSample } from 'libpg-query'
import { callFunction } from './calls.ts'
import { readJoin } from './join.ts'
import { texts } from './nodes.ts'
import { readFrom } from './relations.ts'
import { derived, itemOf, sourceFrom, type Scope, type Source, type Taken } from './scope.ts'
import type { Walk } from './walk.ts'

/**
 * Reads a FROM clause into the query's scope. Returns whether stored rows are among what it yields.
 */
export function readFromClause(items: readonly Node[], scope: Scope, walk: Walk): boolean {
  let takesRows = false
  for (const node of items) {
    const item = walk.readers.item(node, scope, walk)
    scope.add(item)
    takesRows ||= item.takesRows
  }
  return takesRows
}

/** Implements `Readers.item`. */
export function readItem(node: Node, scope: Scope, walk: Walk): Taken {
  if ('RangeVar' in node) {
    const { schemaname, relname = '', alias } = node.RangeVar
    const query = schemaname === undefined ? scope.query(relname) : null
    if (!query) return { ...readFrom(node.RangeVar, walk), takesRows: true }
    return computed(derived(alias?.aliasname ?? relname, query, texts(alias?.colnames)))
  }
  if ('JoinExpr' in node) return readJoin(node.JoinExpr, scope, walk)
  if ('RangeSubselect' in node) return computed(readSubselect(node.RangeSubselect, scope, walk))
  if ('RangeFunction' in node) return computed(readFunctions(node.RangeFunction, scope, walk))
  if ('RangeTableSample' in node) return readSample(node.RangeTableSample, scope, walk)
  if ('RangeTableFunc' in node || 'JsonTable' in node) {
    const { alias, ...parts } = 'JsonTable' in node ? node.JsonTable : node.RangeTableFunc
    walk.readers.expression(parts, scope, walk)
    return computed(anything(alias?.aliasname ?? '', namesOf(alias)))
  }
  walk.found.obscure('It takes rows from something that is not understood.')
  return { ...computed(anything('', [])), takesRows: true }
}

function computed(source: Source): Taken {
  return { ...itemOf([source]), takesRows: false }
}

function readSubselect({ subquery, alias, lateral }: RangeSubselect, scope: Scope, walk: Walk) {
  if (!subquery) return anything('', [])
  const outputs = walk.readers.query(subquery, lateral ? scope : scope.apart(), walk)
  return derived(alias?.aliasname ?? '', outputs, namesOf(alias))
}

/** The arguments of a sampling method cannot refer to neighbours in the FROM clause. */
function readSample(sample: RangeTableSample, scope: Scope, walk: Walk): Taken {
  const { relation, method, args, repeatable } = sample
  callFunction(texts(method), walk)
  walk.readers.expression([args, repeatable], scope.apart(), walk)
  return relation ? readItem(relation, scope, walk) : computed(anything('', []))
}

function readFunctions(range: RangeFunction, scope: Scope, walk: Walk): Source {
  const calls = (range.functions ?? []).flatMap((node) =>
    'List' in node ? (node.List.items ?? []) : [node],
  )
  // These are pairs of a call and a list of column definitions, which may be empty.
  for (const call of calls) if (!isDefinitions(call)) walk.readers.expression(call, scope, walk)
  for (const definition of [...calls.filter(isDefinitions), ...(range.coldeflist ?? [])]) {
    readDefinition(definition, scope, walk)
  }
  return anything(range.alias?.aliasname ?? nameOf(calls[0]), namesOf(range.alias))
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

function namesOf(alias: Alias | undefined): string[] {
  return texts(alias?.colnames)
}

/**
 * A function's result, whose columns only the server knows, apart from those that are named here.
 * They are computed, not stored.
 */
function anything(alias: string, names: readonly string[]): Source {
  const outputs = names.map((name) => ({ name, columns: [] }))
  return sourceFrom({ alias, schema: null, outputs, open: true, stored: false })
}
