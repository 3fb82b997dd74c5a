import type { Node } from 'libpg-query'
import { callFunction, callOperator } from './calls.ts'
import { createFrom } from './create-from.ts'
import { meaningsOf, newName } from './names.ts'
import { isStruct, texts, untag, type NodeOf, type Struct } from './nodes.ts'
import { Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/**
 * Statements that change what the database is, by their node, with the verb that rules name. Those that bring code, powers or settings have a
 * verb of two words, so that a rule which allows `create` does not allow them.
 */
const verbs: Readonly<Record<string, string>> = {
  AlterCollationStmt: 'alter',
  AlterDatabaseRefreshCollStmt: 'alter database',
  AlterDatabaseSetStmt: 'alter database',
  AlterDatabaseStmt: 'alter database',
  AlterDefaultPrivilegesStmt: 'alter default privileges',
  AlterDomainStmt: 'alter',
  AlterEnumStmt: 'alter',
  AlterEventTrigStmt: 'alter trigger',
  AlterExtensionContentsStmt: 'alter extension',
  AlterExtensionStmt: 'alter extension',
  AlterFdwStmt: 'alter server',
  AlterForeignServerStmt: 'alter server',
  AlterFunctionStmt: 'alter function',
  AlterObjectDependsStmt: 'alter',
  AlterObjectSchemaStmt: 'alter',
  AlterOpFamilyStmt: 'alter operator',
  AlterOperatorStmt: 'alter operator',
  AlterOwnerStmt: 'alter owner',
  AlterPolicyStmt: 'alter policy',
  AlterPublicationStmt: 'alter publication',
  AlterRoleSetStmt: 'alter role',
  AlterRoleStmt: 'alter role',
  AlterSeqStmt: 'alter',
  AlterStatsStmt: 'alter',
  AlterSubscriptionStmt: 'alter subscription',
  AlterSystemStmt: 'alter system',
  AlterTSConfigurationStmt: 'alter',
  AlterTSDictionaryStmt: 'alter',
  AlterTableMoveAllStmt: 'alter',
  AlterTableSpaceOptionsStmt: 'alter tablespace',
  AlterTableStmt: 'alter',
  AlterTypeStmt: 'alter',
  AlterUserMappingStmt: 'alter server',
  CheckPointStmt: 'checkpoint',
  ClusterStmt: 'cluster',
  CommentStmt: 'comment',
  CompositeTypeStmt: 'create',
  CreateAmStmt: 'create function',
  CreateCastStmt: 'create function',
  CreateConversionStmt: 'create function',
  CreateDomainStmt: 'create',
  CreateEnumStmt: 'create',
  CreateEventTrigStmt: 'create trigger',
  CreateExtensionStmt: 'create extension',
  CreateFdwStmt: 'create server',
  CreateForeignServerStmt: 'create server',
  CreateForeignTableStmt: 'create server',
  CreateFunctionStmt: 'create function',
  CreateOpClassStmt: 'create operator',
  CreateOpFamilyStmt: 'create operator',
  CreatePLangStmt: 'create language',
  CreatePolicyStmt: 'create policy',
  CreatePublicationStmt: 'create publication',
  CreateRangeStmt: 'create',
  CreateRoleStmt: 'create role',
  CreateSchemaStmt: 'create',
  CreateSeqStmt: 'create',
  CreateStatsStmt: 'create',
  CreateStmt: 'create',
  CreateSubscriptionStmt: 'create subscription',
  CreateTableSpaceStmt: 'create tablespace',
  CreateTransformStmt: 'create function',
  CreateTrigStmt: 'create trigger',
  CreateUserMappingStmt: 'create server',
  CreatedbStmt: 'create database',
  DefineStmt: 'create function',
  DropOwnedStmt: 'drop owned',
  DropRoleStmt: 'drop role',
  DropStmt: 'drop',
  DropSubscriptionStmt: 'drop subscription',
  DropTableSpaceStmt: 'drop tablespace',
  DropUserMappingStmt: 'drop server',
  DropdbStmt: 'drop database',
  GrantRoleStmt: 'grant',
  GrantStmt: 'grant',
  ImportForeignSchemaStmt: 'create server',
  IndexStmt: 'create',
  LoadStmt: 'load',
  ReassignOwnedStmt: 'alter owner',
  RefreshMatViewStmt: 'refresh',
  ReindexStmt: 'reindex',
  RenameStmt: 'alter',
  RuleStmt: 'create rule',
  SecLabelStmt: 'security label',
  VacuumStmt: 'vacuum',
  ViewStmt: 'create',
}

/** Relations that DROP names as lists of texts. */
const relationTypes = new Set<string>([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE', 'OBJECT_SEQUENCE'],
  ...['OBJECT_INDEX'],
])

/** After these, every name that was there before still means the same. */
const adding = new Set([
  ...['CreateStmt', 'CreateSeqStmt', 'CreateEnumStmt', 'CompositeTypeStmt', 'IndexStmt'],
  ...['AlterTableStmt', 'AlterSeqStmt', 'CommentStmt', 'CreateStatsStmt', 'GrantStmt'],
  ...['VacuumStmt', 'ReindexStmt', 'ClusterStmt', 'RefreshMatViewStmt', 'CheckPointStmt'],
])

/** Whether it is about tables that it does not name: all those of a schema, of a role, of the database. */
function isWide(tag: string, inner: Struct): boolean {
  if (tag === 'GrantStmt') return inner['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA'
  if (tag === 'RenameStmt') return inner['renameType'] === 'OBJECT_SCHEMA'
  if (tag === 'AlterOwnerStmt') return inner['objectType'] === 'OBJECT_SCHEMA'
  if (tag === 'CreatePublicationStmt' || tag === 'AlterPublicationStmt')
    return inner['for_all_tables'] === true || JSON.stringify(inner).includes('TABLES_IN_')
  return tag === 'ReassignOwnedStmt' || tag === 'AlterTableMoveAllStmt'
}

/** What belongs to a table, and is dropped by the table's name and its own. */
const partsOfTables = new Set(['OBJECT_POLICY', 'OBJECT_TRIGGER', 'OBJECT_RULE'])

/** `true` if it is one of them. */
export function readDefinition(tag: string, inner: Struct, walk: Walk): boolean {
  const verb = verbs[tag]
  if (verb === undefined) return false
  const { found } = walk
  found.raise(isTemporary(tag, inner) ? 'write' : 'admin')
  found.add('verb', ...verbsOf(tag, verb, inner))
  found.command = commandOf(tag, verb, inner)
  // Which columns a definition is about is not looked for: every rule that names a column is asked.
  found.hide('It changes what the database is.', 'columns')
  found.cannotUndo('it changes what the database is')
  found.session.push({ kind: 'ddl', moves: !adding.has(tag) })
  if (tag === 'DropStmt') readDrop(inner, walk)
  if (isWide(tag, inner)) found.hide('It is about whatever there is.', 'reached')
  if (inner['behavior'] === 'DROP_CASCADE' || tag === 'DropOwnedStmt') {
    found.hide('CASCADE also takes what depends on it.', 'reached')
  }
  announceTemporary(tag, inner, walk)
  sweep(inner, walk)
  return true
}

function verbsOf(tag: string, verb: string, inner: Struct): readonly string[] {
  if (tag === 'VacuumStmt') return [inner['is_vacuumcmd'] === true ? 'vacuum' : 'analyze']
  if (tag === 'GrantStmt' || tag === 'GrantRoleStmt') {
    return [inner['is_grant'] === true ? 'grant' : 'revoke']
  }
  if (tag === 'DropStmt') return ['drop', ...more(inner['removeType'])]
  return [verb]
}

/** Dropping what guards data is more than dropping a table. */
function more(type: unknown): readonly string[] {
  if (type === 'OBJECT_POLICY') return ['drop policy']
  if (type === 'OBJECT_TRIGGER' || type === 'OBJECT_EVENT_TRIGGER') return ['drop trigger']
  return type === 'OBJECT_RULE' ? ['drop rule'] : []
}

/** Good enough to recognise a command by; the exact word comes from the server. */
function commandOf(tag: string, verb: string, inner: Struct): string {
  return verbsOf(tag, verb, inner)[0]!.toUpperCase()
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

/** Types and domains are created by a name in parts. */
function qualifiedNames(inner: Struct): readonly (readonly string[])[] {
  return ['typeName', 'domainname', 'typevar', 'defnames'].flatMap((field) => {
    const value = inner[field]
    return Array.isArray(value) ? [texts(value as Node[])] : []
  })
}

function readDrop({ removeType, objects }: NodeOf<'DropStmt'>, walk: Walk): void {
  if (removeType === undefined) return
  const ofTable = partsOfTables.has(removeType)
  if (!ofTable && !relationTypes.has(removeType)) return
  for (const object of objects ?? []) {
    if (!('List' in object)) continue
    const names = texts(object.List.items)
    if (ofTable) names.pop()
    touch(names.at(-2), names.at(-1) ?? '', walk)
  }
}

/** Everything that a definition names: its tables count as written, its queries as read, its calls as made. */
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
  if (tag === 'FuncCall') callFunction(texts(inner['funcname'] as Node[]), walk)
  if (tag === 'A_Expr') callOperator(texts(inner['name'] as Node[]), walk)
  if (typeof inner['relname'] === 'string') {
    const schema = inner['schemaname']
    touch(typeof schema === 'string' ? schema : undefined, inner['relname'], walk)
  }
  for (const part of Object.values(inner)) sweep(part, walk)
}

/** A relation that is defined, altered or dropped. It need not exist. */
function touch(schema: string | undefined, name: string, { context, found }: Walk): void {
  for (const meaning of meaningsOf(schema, name, context)) {
    const full = meaning.kind === 'missing' ? newName(schema, name, context) : meaning.name
    found.add('named', full)
    found.add('tables_written', full)
    if (meaning.kind !== 'relation') continue
    found.add('reached', ...meaning.relation.children, ...meaning.relation.parents)
  }
}

/** CREATE TABLE AS, and CREATE MATERIALIZED VIEW: the query runs. */
export function readCreateAs(statement: NodeOf<'CreateTableAsStmt'>, walk: Walk): void {
  const { found } = walk
  if (statement.query) walk.readers.statement(statement.query, walk)
  if (statement.into) createFrom(statement.into, walk)
  found.add('verb', 'create')
  found.command = 'SELECT'
  found.cannotUndo('it changes what the database is')
}
