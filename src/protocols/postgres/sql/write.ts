import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  Node,
  RangeVar,
  ReturningClause,
  UpdateStmt,
} from 'libpg-query'
import { readFromClause } from './from.ts'
import { isNarrowing } from './narrowing.ts'
import { isStruct } from './nodes.ts'
import { itemOf, noOutputs, Scope, type Item, type Outputs, type Source } from './scope.ts'
import { readTargets } from './targets.ts'
import type { Walk } from './walk.ts'
import { readWith } from './with.ts'
import { writeTo, type Change } from './written.ts'

/** Reads INSERT, UPDATE, DELETE and MERGE, also within a WITH. Returns `null` for anything else. */
export function readWrite(node: Node, outer: Scope | null, walk: Walk): Outputs | null {
  const scope = new Scope(outer)
  if ('InsertStmt' in node) return readInsert(node.InsertStmt, scope, walk)
  if ('UpdateStmt' in node) return readUpdate(node.UpdateStmt, scope, walk)
  if ('DeleteStmt' in node) return readDelete(node.DeleteStmt, scope, walk)
  if ('MergeStmt' in node) return readMerge(node.MergeStmt, scope, walk)
  return null
}

function readInsert(insert: InsertStmt, scope: Scope, walk: Walk): Outputs {
  const { onConflictClause: conflict } = insert
  readWith(insert.withClause, scope, walk)
  const updates = conflict?.action === 'ONCONFLICT_UPDATE'
  const changes: Change[] = updates ? ['insert', 'update'] : ['insert']
  const target = targetOf(insert.relation, changes, walk)
  // Without a list the values go to the columns in order. We do not count them, so all columns
  // count as written.
  setColumns(insert.cols, target, walk)
  walk.readers.expression(valuesOf(insert.cols), scope, walk)
  if (!insert.cols) for (const source of target.sources) setAll(source, walk)
  if (insert.selectStmt) walk.readers.query(insert.selectStmt, scope, walk)
  scope.add(target)
  if (conflict) {
    const inner = new Scope(scope)
    inner.add(calledAs('excluded', target))
    setColumns(conflict.targetList, target, walk)
    walk.readers.expression(valuesOf(conflict.targetList), inner, walk)
    walk.readers.expression(conflict.whereClause, inner, walk)
    readInference(conflict.infer?.indexElems, inner, walk)
    walk.readers.expression(conflict.infer?.whereClause, inner, walk)
  }
  return readReturning(insert.returningClause, target, scope, walk)
}

/** Reads the elements that ON CONFLICT infers an index by: columns or expressions. */
function readInference(elements: readonly Node[] | undefined, scope: Scope, walk: Walk): void {
  for (const node of elements ?? []) {
    if ('IndexElem' in node) walk.readers.expression(node.IndexElem.expr, scope, walk)
  }
}

function readUpdate(update: UpdateStmt, scope: Scope, walk: Walk): Outputs {
  readWith(update.withClause, scope, walk)
  const target = targetOf(update.relation, ['update'], walk)
  scope.add(target)
  readFromClause(update.fromClause ?? [], scope, walk)
  setColumns(update.targetList, target, walk)
  walk.readers.expression(valuesOf(update.targetList), scope, walk)
  readCondition(update.whereClause, scope, walk)
  return readReturning(update.returningClause, target, scope, walk)
}

function readDelete(deletion: DeleteStmt, scope: Scope, walk: Walk): Outputs {
  readWith(deletion.withClause, scope, walk)
  const target = targetOf(deletion.relation, ['delete'], walk)
  scope.add(target)
  readFromClause(deletion.usingClause ?? [], scope, walk)
  readCondition(deletion.whereClause, scope, walk)
  return readReturning(deletion.returningClause, target, scope, walk)
}

const commands: Readonly<Record<string, Change>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
}

function readMerge(merge: MergeStmt, scope: Scope, walk: Walk): Outputs {
  readWith(merge.withClause, scope, walk)
  walk.found.add('verb', 'merge')
  const clauses = (merge.mergeWhenClauses ?? []).flatMap((node) =>
    'MergeWhenClause' in node ? [node.MergeWhenClause] : [],
  )
  const changes = clauses.flatMap(({ commandType = '' }) => commands[commandType] ?? [])
  const target = targetOf(merge.relation, changes, walk)
  scope.add(target)
  readFromClause(merge.sourceRelation ? [merge.sourceRelation] : [], scope, walk)
  readCondition(merge.joinCondition, scope, walk)
  for (const clause of clauses) {
    walk.readers.expression([clause.condition, clause.values], scope, walk)
    walk.readers.expression(valuesOf(clause.targetList), scope, walk)
    setColumns(clause.targetList, target, walk)
    const inserts = clause.commandType === 'CMD_INSERT'
    if (inserts && !clause.targetList) for (const source of target.sources) setAll(source, walk)
  }
  return readReturning(merge.returningClause, target, scope, walk)
}

function readCondition(condition: Node | undefined, scope: Scope, walk: Walk): void {
  if (!isNarrowing(condition)) walk.found.takesAll = true
  walk.readers.expression(condition, scope, walk)
}

function targetOf(range: RangeVar | undefined, changes: readonly Change[], walk: Walk): Item {
  return range ? writeTo(range, changes, walk) : itemOf([])
}

/** Adds the columns that get a value. */
function setColumns(
  targets: readonly Node[] | undefined,
  { sources }: Item,
  { found }: Walk,
): void {
  for (const node of targets ?? []) {
    const name = 'ResTarget' in node ? node.ResTarget.name : undefined
    if (name === undefined) continue
    const stored = sources.flatMap(({ columns }) => columns.get(name) ?? [])
    if (stored.length > 0) found.add('columns', ...stored)
    else found.hide(`Whose column ${name} is, is not known.`, 'columns')
  }
}

function setAll({ columns }: Source, { found }: Walk): void {
  for (const stored of columns.values()) found.add('columns', ...stored)
}

/** The values of an assignment list, and the subscripts of its targets. */
function valuesOf(targets: readonly Node[] | undefined): readonly unknown[] {
  return (targets ?? []).flatMap((node) => {
    if (!('ResTarget' in node)) return [node]
    const { val, indirection = [] } = node.ResTarget
    return [val, ...indirection].filter(isStruct)
  })
}

/**
 * Reads RETURNING. It can also refer to the row before and after the change, by `old` and `new` or
 * by names that the statement gives (PostgreSQL 18).
 */
function readReturning(
  clause: ReturningClause | undefined,
  target: Item,
  scope: Scope,
  walk: Walk,
): Outputs {
  if (!clause?.exprs) return noOutputs
  const given = (clause.options ?? []).flatMap((node) =>
    'ReturningOption' in node ? [node.ReturningOption.value ?? ''] : [],
  )
  const inner = new Scope(scope)
  for (const alias of ['old', 'new', ...given]) inner.add(calledAs(alias, target))
  const versions = new Scope(inner)
  versions.add({ sources: scope.sources, outputs: scope.all })
  return readTargets(clause.exprs, versions, walk)
}

/** The same rows by another name. */
function calledAs(alias: string, { sources, outputs }: Item): Item {
  return { sources: sources.map((source) => ({ ...source, alias, schema: null })), outputs }
}
