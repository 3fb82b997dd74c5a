import type { Node } from 'libpg-query'
import { castTo } from './calls.ts'
import { createFrom } from './create-from.ts'
import { definitionVerbs, tableCommands } from './ddl-verbs.ts'
import { indexesOf, meaningsOf, newName, partsOf, qualified } from './names.ts'
import { isStruct, texts, untag, type NodeOf, type Struct } from './nodes.ts'
import { readStored } from './relations.ts'
import { Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/** Kinds of relations, which DROP names as lists of texts. */
const relationTypes = new Set<string>([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE', 'OBJECT_SEQUENCE'],
  ...['OBJECT_INDEX'],
])

/** Statements after which all existing names still mean the same. */
const adding = new Set([
  ...['CreateStmt', 'CreateSeqStmt', 'CreateEnumStmt', 'CompositeTypeStmt', 'IndexStmt'],
  ...['AlterTableStmt', 'AlterSeqStmt', 'CommentStmt', 'CreateStatsStmt', 'GrantStmt'],
  ...['VacuumStmt', 'ReindexStmt', 'ClusterStmt', 'RefreshMatViewStmt', 'CheckPointStmt'],
])

/**
 * Whether a definition concerns tables that it does not name: all of a schema, a role, an extension
 * or the database.
 */
function isWide(tag: string, inner: Struct): boolean {
  const type = inner['removeType'] ?? inner['renameType'] ?? inner['objectType']
  switch (tag) {
    case 'GrantStmt':
      return inner['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA'
    case 'RenameStmt':
    case 'AlterOwnerStmt':
    case 'AlterObjectSchemaStmt':
      return type === 'OBJECT_SCHEMA' || type === 'OBJECT_EXTENSION'
    case 'DropStmt':
      return type === 'OBJECT_EXTENSION'
    case 'CreatePublicationStmt':
    case 'AlterPublicationStmt':
      return inner['for_all_tables'] === true || JSON.stringify(inner).includes('TABLES_IN_')
    case 'ClusterStmt':
    case 'ReindexStmt':
      return inner['relation'] === undefined
    case 'VacuumStmt':
      return inner['rels'] === undefined
    default:
      return wide.has(tag)
  }
}

const wide = new Set([
  ...['ReassignOwnedStmt', 'AlterTableMoveAllStmt', 'DropOwnedStmt', 'ImportForeignSchemaStmt'],
  ...['CreateExtensionStmt', 'AlterExtensionStmt', 'AlterExtensionContentsStmt', 'DropdbStmt'],
])

/** Whether there is a CASCADE, perhaps in one of the commands of an ALTER TABLE. */
function cascades(inner: Struct): boolean {
  return [inner, ...tableCommands(inner)].some(({ behavior }) => behavior === 'DROP_CASCADE')
}

function isAboutIndex(inner: Struct): boolean {
  const fields = ['removeType', 'renameType', 'objtype', 'objectType', 'kind']
  return fields.some((field) => /^(REINDEX_)?OBJECT_INDEX$/.test(String(inner[field])))
}

/** Things that belong to a table, and are named by its name followed by their own. */
const partsOfTables = new Set([
  ...['OBJECT_POLICY', 'OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_COLUMN', 'OBJECT_TABCONSTRAINT'],
])

/** Reads a definition. Returns `false` if the statement is none. */
export function readDefinition(tag: string, inner: Struct, walk: Walk): boolean {
  const verbs = definitionVerbs(tag, inner)
  if (verbs === null) return false
  const { found } = walk
  found.raise(isTemporary(tag, inner) ? 'write' : 'admin')
  found.add('verb', ...verbs)
  // Good enough to recognise the command; the exact tag comes from the server.
  found.command = verbs[0]!.toUpperCase()
  // We do not work out which columns a definition concerns, so every rule that names a column
  // applies.
  found.hide('It changes what the database is.', 'columns')
  found.cannotUndo('it changes what the database is')
  found.session.push({ kind: 'ddl', moves: moves(tag, inner) })
  if (isWide(tag, inner)) found.hide('It is about whatever there is.', 'reached')
  if (tableCommands(inner).some(({ subtype }) => subtype === 'AT_DropConstraint'))
    found.hide('What a foreign key points at is not known by its name.', 'reached')
  if (cascades(inner)) found.hide('CASCADE also takes what depends on it.', 'reached')
  announceTemporary(tag, inner, walk)
  const before = found.names('tables_written').length
  if (tag === 'CreateSchemaStmt') readElements(inner, walk)
  else sweep(inner, walk)
  readNamed(tag, inner, walk)
  if (isAboutIndex(inner) && !found.names('named').every((name) => isKnown(name, walk)))
    found.hide('Which table the index is of is not known.', 'reached')
  readNewName(tag, inner, walk)
  if (tag === 'RefreshMatViewStmt') readRefresh(inner, walk)
  if (tag === 'AlterTableStmt') readNewTypes(inner, walk)
  // Closed: a rule that allows definitions for some tables does not mean this one.
  if (found.names('tables_written').length === before)
    found.besideTables ??= 'It is about something that is no table.'
  return true
}

/**
 * Whether existing names may mean something else afterwards. A GRANT on a schema counts, because it
 * may put the schema into somebody's path.
 */
function moves(tag: string, inner: Struct): boolean {
  return !adding.has(tag) || (tag === 'GrantStmt' && inner['objtype'] === 'OBJECT_SCHEMA')
}

/**
 * A new name or schema moves a table to a place where rules may forbid writing, so that place
 * counts as written.
 */
function readNewName(tag: string, inner: Struct, walk: Walk): void {
  const { relation, newname, newschema } = inner
  if (!isStruct(relation) || typeof relation['relname'] !== 'string') return
  const ofTable = relationTypes.has(String(inner['renameType'] ?? inner['objectType']))
  if (!ofTable || (tag !== 'RenameStmt' && tag !== 'AlterObjectSchemaStmt')) return
  const { schemaname, relname } = relation
  const written = typeof schemaname === 'string' ? schemaname : undefined
  for (const { name } of meaningsOf(written, relname, walk.context)) {
    const [schema = '', old = ''] = partsOf(name)
    const next = typeof newschema === 'string' ? [newschema, old] : [schema, String(newname)]
    walk.found.add('named', qualified(...next))
    walk.found.add('tables_written', qualified(...next))
  }
}

/**
 * The elements of CREATE SCHEMA are statements of their own, whose names are looked up in the new
 * schema first.
 */
function readElements({ schemaElts }: NodeOf<'CreateSchemaStmt'>, walk: Walk): void {
  if (!schemaElts) return
  for (const element of schemaElts) walk.readers.statement(element, walk)
  const why = 'Its names may be those of the schema that it creates.'
  walk.found.hide(why, 'tables_read', 'tables_written', 'named', 'reached')
  walk.found.command = 'CREATE SCHEMA'
}

/** REFRESH MATERIALIZED VIEW runs the query of the view. */
function readRefresh({ relation, skipData }: NodeOf<'RefreshMatViewStmt'>, walk: Walk): void {
  if (skipData || !relation) return
  for (const meaning of meaningsOf(relation.schemaname, relation.relname ?? '', walk.context))
    if (meaning.kind === 'relation') readStored(meaning.relation, walk)
}

const serials = /^(small|big)?serial[248]?$/

/** A change of a column's type runs the checks of the new type. */
function readNewTypes(inner: Struct, walk: Walk): void {
  for (const { def } of tableCommands(inner)) {
    const column = isStruct(def) ? untag(def) : null
    const type = column?.[0] === 'ColumnDef' ? (column[1] as NodeOf<'ColumnDef'>).typeName : null
    if (type && !serials.test(texts(type.names).at(-1) ?? '')) castTo(type, walk)
  }
}

function relationOf(tag: string, inner: Struct): Struct | null {
  const into = tag === 'CreateTableAsStmt' ? inner['into'] : null
  const range = isStruct(into)
    ? into['rel']
    : (inner['relation'] ?? inner['view'] ?? inner['sequence'])
  return isStruct(range) ? range : null
}

function isTemporary(tag: string, inner: Struct): boolean {
  const own = tag === 'CreateStmt' || tag === 'CreateTableAsStmt' || tag === 'CreateSeqStmt'
  return own && relationOf(tag, inner)?.['relpersistence'] === 't'
}

function announceTemporary(tag: string, inner: Struct, { found }: Walk): void {
  const range = relationOf(tag, inner)
  const ofSession = range?.['relpersistence'] === 't' || range?.['schemaname'] === 'pg_temp'
  const inTemp = qualifiedNames(inner).find(([schema]) => schema === 'pg_temp')
  if (range && ofSession && typeof range['relname'] === 'string') {
    const is = tag === 'CreateStmt' || tag === 'CreateTableAsStmt' ? 'table' : 'other'
    found.session.push({ kind: 'temporary', name: range['relname'], is })
  } else if (inTemp?.[1] !== undefined) {
    found.session.push({ kind: 'temporary', name: inTemp[1], is: 'other' })
  }
}

/** The qualified names of types and domains that a statement creates. */
function qualifiedNames(inner: Struct): readonly (readonly string[])[] {
  return ['typeName', 'domainname', 'typevar', 'defnames'].flatMap((field) => {
    const value = inner[field]
    return Array.isArray(value) ? [texts(value as Node[])] : []
  })
}

/** Reads relations that are named as lists of texts, as in DROP, COMMENT and SECURITY LABEL. */
function readNamed(tag: string, inner: Struct, walk: Walk): void {
  const type = String(inner['removeType'] ?? inner['objtype'])
  const ofTable = partsOfTables.has(type)
  if (!ofTable && !relationTypes.has(type)) return
  const { objects, object } = inner
  const named: readonly unknown[] =
    tag === 'DropStmt' ? (Array.isArray(objects) ? objects : []) : [object]
  for (const one of named) {
    const names = listed(one)
    if (ofTable) names.pop()
    if (names.length > 0) touch(names.at(-2), names.at(-1) ?? '', walk)
  }
}

/**
 * Expressions, which may run code without naming a function. In a definition they are checks on
 * existing rows, defaults, or partition and index keys.
 */
const expressions =
  /^(A_ArrayExpr|A_Expr|A_Indirection|CaseExpr|ColumnRef|FuncCall|SubLink|TypeCast|(Json|Xml)\w+)$/

/**
 * Reads everything that a definition names. Its tables count as written, its queries as read, its
 * calls as made.
 */
function sweep(value: unknown, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const item of value) sweep(item, walk)
    return
  }
  if (!isStruct(value)) return
  const [tag, inner] = untag(value) ?? [null, value]
  if (tag === 'SelectStmt' || tag?.match(/^(Insert|Update|Delete|Merge)Stmt$/)) {
    walk.readers.query(value as unknown as Node, new Scope(null), walk)
    return
  }
  if (tag !== null && expressions.test(tag)) {
    walk.readers.expression(value, new Scope(null), walk)
    return
  }
  if (tag === 'DefElem' && inner['defname'] === 'owned_by') touchOwner(inner['arg'], walk)
  if (typeof inner['relname'] === 'string') {
    const schema = inner['relpersistence'] === 't' ? 'pg_temp' : inner['schemaname']
    touch(typeof schema === 'string' ? schema : undefined, inner['relname'], walk)
  }
  for (const part of Object.values(inner)) sweep(part, walk)
}

/** The parts of a qualified name; empty for anything but a list. */
function listed(node: unknown): string[] {
  return isStruct(node) && 'List' in node
    ? texts((node as { List: { items?: Node[] } }).List.items)
    : []
}

/** Touches the table of the column that owns a sequence. NONE is a list of one word. */
function touchOwner(column: unknown, walk: Walk): void {
  const names = listed(column)
  if (names.length > 1) touch(names.at(-3), names.at(-2)!, walk)
}

function isKnown(name: string, { context: { catalogue } }: Walk): boolean {
  return catalogue?.data.relations.has(name) === true || catalogue?.data.indexes.has(name) === true
}

/**
 * Adds a relation that is defined, altered or dropped. It need not exist. What is done to an index
 * counts as done to its table; `ALTER TABLE` takes the name of either.
 */
function touch(schema: string | undefined, name: string, walk: Walk): void {
  const { context, found } = walk
  for (const index of indexesOf(schema, name, context)) {
    found.add('named', index.name)
    found.add('tables_written', index.name)
    const [tableSchema, table = ''] = partsOf(index.table)
    touch(tableSchema, table, walk)
  }
  for (const meaning of meaningsOf(schema, name, context)) {
    const full = meaning.kind === 'missing' ? newName(schema, name, context) : meaning.name
    found.add('named', full)
    found.add('tables_written', full)
    if (meaning.kind !== 'relation') continue
    found.add('reached', ...meaning.relation.children, ...meaning.relation.parents)
  }
}

/** Reads CREATE TABLE AS and CREATE MATERIALIZED VIEW, whose query runs. */
export function readCreateAs(statement: NodeOf<'CreateTableAsStmt'>, walk: Walk): void {
  const { found } = walk
  if (statement.query) walk.readers.statement(statement.query, walk)
  if (statement.into) createFrom(statement.into, walk)
  found.add('verb', 'create')
  found.command = 'SELECT'
  found.cannotUndo('it changes what the database is')
}
