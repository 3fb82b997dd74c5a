import { isStruct, untag, type Struct } from './nodes.ts'

/**
 * Statements that change what the database is, by their node, each with the verb that rules name.
 * Those that bring code, privileges or settings have a verb of two words, so that a rule which
 * allows `create` does not allow them.
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

/**
 * Objects that guard data, or bring code, privileges or outside systems, and so need more care than
 * a table or a type.
 */
const nouns: Readonly<Record<string, string>> = {
  OBJECT_ACCESS_METHOD: 'function',
  OBJECT_AGGREGATE: 'function',
  OBJECT_CAST: 'function',
  OBJECT_CONVERSION: 'function',
  OBJECT_DATABASE: 'database',
  OBJECT_EVENT_TRIGGER: 'trigger',
  OBJECT_EXTENSION: 'extension',
  OBJECT_FDW: 'server',
  OBJECT_FOREIGN_SERVER: 'server',
  OBJECT_FUNCTION: 'function',
  OBJECT_LANGUAGE: 'language',
  OBJECT_OPCLASS: 'operator',
  OBJECT_OPERATOR: 'operator',
  OBJECT_OPFAMILY: 'operator',
  OBJECT_POLICY: 'policy',
  OBJECT_PROCEDURE: 'function',
  OBJECT_PUBLICATION: 'publication',
  OBJECT_ROLE: 'role',
  OBJECT_ROUTINE: 'function',
  OBJECT_RULE: 'rule',
  OBJECT_SUBSCRIPTION: 'subscription',
  OBJECT_TABLESPACE: 'tablespace',
  OBJECT_TRANSFORM: 'function',
  OBJECT_TRIGGER: 'trigger',
}

/**
 * Further verbs of ALTER TABLE, by the parser's name for the command (`AlterTableType` of
 * parsenodes.h).
 */
const ofTables: readonly (readonly [RegExp, string])[] = [
  [/^AT_ChangeOwner$/, 'alter owner'],
  [/RowSecurity$/, 'alter policy'],
  [/Trig(All|User)?$/, 'alter trigger'],
  [/Rule$/, 'alter rule'],
]

/** The verbs by which rules name a definition; `null` if the statement is none. */
export function definitionVerbs(tag: string, inner: Struct): readonly string[] | null {
  const verb = verbs[tag]
  if (verb === undefined) return null
  switch (tag) {
    case 'VacuumStmt':
      return [inner['is_vacuumcmd'] === true ? 'vacuum' : 'analyze']
    case 'GrantStmt':
    case 'GrantRoleStmt':
      return [inner['is_grant'] === true ? 'grant' : 'revoke']
    case 'AlterTableStmt':
      return [verb, ...tableCommands(inner).flatMap((command) => besides(command['subtype']))]
    case 'DropStmt':
      return withNoun(verb, inner['removeType'])
    case 'RenameStmt':
      return withNoun(verb, inner['renameType'])
    case 'AlterObjectSchemaStmt':
    case 'AlterObjectDependsStmt':
      return withNoun(verb, inner['objectType'])
    default:
      return [verb]
  }
}

/** The commands that an ALTER TABLE consists of. */
export function tableCommands(inner: Struct): readonly Struct[] {
  const commands: readonly unknown[] = Array.isArray(inner['cmds']) ? inner['cmds'] : []
  return commands.flatMap((node) => (isStruct(node) ? [untag(node)?.[1] ?? {}] : []))
}

function withNoun(verb: string, type: unknown): readonly string[] {
  const noun = nouns[typeof type === 'string' ? type : '']
  return noun === undefined ? [verb] : [verb, `${verb} ${noun}`]
}

function besides(subtype: unknown): readonly string[] {
  if (typeof subtype !== 'string') return []
  return ofTables.flatMap(([pattern, verb]) => (pattern.test(subtype) ? [verb] : []))
}
