import type { GroupingSet, Node, SelectStmt, SortBy } from 'libpg-query'
import { callOperator } from './calls.ts'
import { readResultName } from './column-refs.ts'
import { createFrom } from './create-from.ts'
import { readFromClause } from './from.ts'
import { isNarrowing } from './narrowing.ts'
import { constant, isStruct, texts } from './nodes.ts'
import { noOutputs, Scope, type Outputs } from './scope.ts'
import { readTargets } from './targets.ts'
import type { Walk } from './walk.ts'
import { readWith } from './with.ts'
import { readWrite } from './write.ts'

/** Implements `Readers.query`. */
export function readQuery(node: Node, outer: Scope | null, walk: Walk): Outputs {
  if ('SelectStmt' in node) return readSelect(node.SelectStmt, new Scope(outer), walk)
  const outputs = readWrite(node, outer, walk)
  if (outputs) return outputs
  walk.found.obscure('It has a kind of query that is not understood.')
  return noOutputs
}

function readSelect(select: SelectStmt, scope: Scope, outer: Walk): Outputs {
  const walk = { ...outer, lazily: false }
  // The VALUES of an INSERT read nothing.
  if (!select.valuesLists) walk.found.add('verb', 'select')
  readWith(select.withClause, scope, walk)
  const outputs = select.larg
    ? readSetOperation(select, scope, outer)
    : readPlain(select, scope, outer)
  for (const part of [select.groupClause, select.sortClause, select.distinctClause])
    readArranged(part, outputs, scope, walk)
  const { havingClause, windowClause, limitCount, limitOffset } = select
  walk.readers.expression([havingClause, windowClause, limitCount, limitOffset], scope, walk)
  if (select.intoClause) createFrom(select.intoClause, walk)
  if (select.lockingClause) {
    walk.found.add('verb', 'lock')
    walk.found.raise('write')
  }
  return outputs
}

function readPlain(select: SelectStmt, scope: Scope, outer: Walk): Outputs {
  const walk = { ...outer, lazily: false }
  if (select.valuesLists) {
    walk.readers.expression(select.valuesLists, scope, walk)
    const [first] = select.valuesLists
    const width = first && 'List' in first ? (first.List.items?.length ?? 0) : 0
    const list = Array.from({ length: width }, (_, i) => ({ name: `column${i + 1}`, columns: [] }))
    return { list, open: false }
  }
  const takesRows = readFromClause(select.fromClause ?? [], scope, walk)
  if (takesRows && !isNarrowing(select.whereClause)) walk.found.takesAll = true
  const outputs = readTargets(select.targetList ?? [], scope, outer)
  walk.readers.expression(select.whereClause, scope, walk)
  return outputs
}

/**
 * Reads GROUP BY, ORDER BY or DISTINCT ON, whose items are expressions or names of result columns.
 */
function readArranged(part: unknown, outputs: Outputs, scope: Scope, walk: Walk): void {
  if (Array.isArray(part)) {
    for (const one of part) readArranged(one, outputs, scope, walk)
    return
  }
  if (!isStruct(part) || readResultName(part, outputs, scope, walk)) return
  if ('GroupingSet' in part) {
    const { content } = part['GroupingSet'] as GroupingSet
    return readArranged(content, outputs, scope, walk)
  }
  if ('SortBy' in part) {
    const { node, useOp } = part['SortBy'] as SortBy
    if (useOp) callOperator(texts(useOp), walk)
    return readArranged(node, outputs, scope, walk)
  }
  walk.readers.expression(part, scope, walk)
}

/**
 * Reads UNION, INTERSECT and EXCEPT, which match columns by position and take the names of the
 * first query.
 */
function readSetOperation({ larg, rarg }: SelectStmt, scope: Scope, walk: Walk): Outputs {
  const left = readSelect(larg!, new Scope(scope), walk)
  const right = readSelect(rarg!, new Scope(scope), walk)
  const list = left.list.map(({ name, columns }, position) => ({
    name,
    columns: [...columns, ...(right.list[position]?.columns ?? [])],
  }))
  return { list, open: left.open || right.open }
}

/** The most rows that the outermost query returns; `null` where a constant LIMIT does not tell. */
export function limitOf({ limitCount, limitOption }: SelectStmt): number | null {
  if (limitOption === 'LIMIT_OPTION_WITH_TIES') return null
  const value = constant(limitCount)
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null
}
