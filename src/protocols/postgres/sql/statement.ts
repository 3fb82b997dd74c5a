import type { Attribute, Effect } from '../../../core/action.ts'

/** One query string, read in a context: the text of a Query or Parse message. */
export interface Analysis {
  /**
   * Empty for a text without a statement, and for one that could not be read.
   * A text is decided as a whole: `effect` and `sql` are those of all its statements together.
   */
  readonly statements: readonly Statement[]
  /** The worst of any statement. */
  readonly effect: Effect
  readonly sql: SqlAttributes
  /**
   * Relations that the catalogue does not know, or could not be read of: it may be out of date.
   * Empty in most cases.
   */
  readonly missing: readonly string[]
  /**
   * Why the text could not be read: then `effect` is `unknown`, and so is every attribute. `null`
   * when it was read.
   */
  readonly unreadable: Unreadable | null
}

export interface Unreadable {
  /** `syntax`: PostgreSQL's own parser refuses it. The others are limits of ours. */
  readonly kind: 'syntax' | 'text' | 'too-deep' | 'too-long' | 'parser'
  /** For people, in one line. */
  readonly why: string
  /** In characters of the text, from 0; `null` where it is not known. */
  readonly position: number | null
}

/** One statement of a text. */
export interface Statement {
  /** Where it stands in the text, in bytes of UTF-8, without its semicolon. */
  readonly start: number
  readonly end: number
  /**
   * What the server calls it in CommandComplete, as far as that is known beforehand: `SELECT`,
   * `BEGIN`, `CREATE TABLE`.
   */
  readonly command: string
  readonly effect: Effect
  readonly sql: SqlAttributes
  /** What it does to the session when it succeeds, in order. */
  readonly session: readonly SessionChange[]
  /**
   * It touches no data, and neither changes what text means nor who acts: BEGIN, COMMIT, ROLLBACK
   * and savepoints, harmless settings, DEALLOCATE, CLOSE, DISCARD, UNLISTEN. Drivers send these by
   * themselves, so that nobody has to write a rule for them.
   */
  readonly control: boolean
  /** One value of what it returns may be made from many rows: an array of them, a text. */
  readonly gathers: boolean
  /** Rolling back the transaction undoes everything that this does; if not, why not. */
  readonly undoable: true | { readonly because: string }
}

/**
 * What policies call `action.sql`. Each list is sorted and has no name twice; an `Unknown` stands
 * where something may be missing from it.
 *
 * Tables are `schema.name`, columns `schema.table.column`, functions `schema.name`, as the server
 * resolves them.
 */
export interface SqlAttributes {
  readonly verb: Attribute
  readonly tables: Attribute
  readonly tables_read: Attribute
  readonly tables_written: Attribute
  /** Those that the text itself names: a view, and not what it reads. */
  readonly named: Attribute
  /**
   * Also what nobody named: partitions, parents, tables that a deletion cascades to. `Unknown`
   * where anything may be reached.
   */
  readonly reached: Attribute
  readonly columns: Attribute
  readonly functions: Attribute
  /** Of those, and of operators and casts, the ones that are not known to be harmless. */
  readonly unproven: Attribute
  /**
   * Every SELECT, UPDATE and DELETE over a table is narrowed by a condition that is not constant.
   */
  readonly has_where: Attribute
  /** Rows at most, where every statement has a constant LIMIT; otherwise `null`. */
  readonly limit: Attribute
  readonly statements: Attribute
  /** Settings that it changes, and channels that it notifies. */
  readonly settings: Attribute
  readonly channels: Attribute
  /** The same for two texts that differ in constants alone. */
  readonly shape: Attribute
  readonly [name: string]: Attribute
}

/** What has to be remembered about a session once the statement has succeeded. */
export type SessionChange =
  | { readonly kind: 'begin' }
  /** `chain`: a new transaction begins at once. */
  | { readonly kind: 'commit' | 'rollback'; readonly chain: boolean }
  | { readonly kind: 'savepoint' | 'release' | 'rollback-to'; readonly name: string }
  | { readonly kind: 'prepare-transaction' | 'commit-prepared' | 'rollback-prepared' }
  | SettingChange
  /** `prepared` is the statement that EXECUTE will run. */
  | { readonly kind: 'prepare'; readonly name: string; readonly prepared: Statement }
  | { readonly kind: 'execute'; readonly name: string }
  /** `null`: all of them. */
  | { readonly kind: 'deallocate'; readonly name: string | null }
  /** `hold`: it outlives its transaction. */
  | {
      readonly kind: 'declare'
      readonly name: string
      readonly hold: boolean
      readonly query: Statement
    }
  /** MOVE, too. `rows`: at most; `null` is all of them. */
  | { readonly kind: 'fetch'; readonly name: string; readonly rows: number | null }
  | { readonly kind: 'close'; readonly name: string | null }
  | { readonly kind: 'copy-in' | 'copy-out' }
  | { readonly kind: 'listen' | 'notify'; readonly channel: string }
  | { readonly kind: 'unlisten'; readonly channel: string | null }
  | { readonly kind: 'discard'; readonly what: 'all' | 'plans' | 'sequences' | 'temp' }
  /** A temporary table, view, type or sequence: from now on this name means that. */
  | { readonly kind: 'temporary'; readonly name: string; readonly is: TemporaryKind }
  /**
   * The catalogue is no longer what it was. `moves`: names that were in it before may mean
   * something else.
   */
  | { readonly kind: 'ddl'; readonly moves: boolean }
  /**
   * It runs text that nobody has read (DO, an unknown function): settings, names and prepared
   * statements may have changed.
   */
  | { readonly kind: 'opaque' }

export interface SettingChange {
  readonly kind: 'set'
  /**
   * In lower case, as in `pg_settings`; `role` and `session_authorization` are among them. `null`:
   * RESET ALL.
   */
  readonly name: string | null
  /**
   * Each constant of the list that it is set to (`search_path` has several); `null`: back to the
   * default, or not known.
   */
  readonly values: readonly string[] | null
  /** Until the end of the transaction only. */
  readonly local: boolean
  /** `settings.ts` says which are harmless. */
  readonly harmless: boolean
}

/**
 * What the meaning of a text depends on, besides the text. Whoever holds the session keeps it true.
 */
export interface SqlContext {
  /**
   * As names, in order, `"$user"` already replaced. `pg_temp` and `pg_catalog` come first, as on
   * the server, if they are not listed.
   */
  readonly searchPath: readonly string[]
  readonly role: string
  readonly database: string
  /** `null`: nobody could ask. Whatever needs it is `Unknown` then. */
  readonly catalogue: Catalogue | null
  /** By name: what PREPARE, or a Parse message, has announced in this session. */
  readonly prepared: ReadonlyMap<string, Statement>
  /** By name: the query of DECLARE, or of the portal. */
  readonly cursors: ReadonlyMap<string, Statement>
  /**
   * Names that `temporary` changes have announced; kept until the session, or DISCARD, ends them:
   * closed, also after a roll-back.
   */
  readonly temporary: ReadonlyMap<string, TemporaryKind>
  /**
   * OIDs of the types that the client gives its parameters, as far as it does; none if left out.
   * Values in them go through what checks those types.
   */
  readonly parameters?: readonly number[]
  /**
   * The transaction has changed what names mean: its end, and a return to a savepoint, take that
   * back.
   */
  readonly unsettled: boolean
  /**
   * Functions, operators and types that the resource's owner declares harmless, as `schema.name`.
   */
  readonly harmless: ReadonlySet<string>
}

/** What is `other` may read tables that its name does not tell: a view. */
export type TemporaryKind = 'table' | 'other'

/**
 * A snapshot of what the server's catalogue says about names. Never changes; a newer one has
 * another `version`.
 */
export interface Catalogue {
  /** Different for each snapshot in this process. */
  readonly version: number
  /** The same as plain data, for another thread. */
  readonly data: CatalogueData
  relation(schema: string, name: string): Relation | null
  /**
   * Functions, procedures and aggregates, operators, types: whether there is one of that name, and
   * whether all of that name are harmless.
   */
  routine(schema: string, name: string): Standing
  operator(schema: string, name: string): Standing
  type(schema: string, name: string): Standing
  /** A type that did not come with the server; `null` if there is none. */
  typeOf(oid: number): NamedType | null
  hasSchema(name: string): boolean
}

/** By `schema.name`, each part in quotes where it needs them. */
export interface CatalogueData {
  readonly version: number
  /** As the server calls it: `UTF8`. */
  readonly encoding: string
  readonly schemas: readonly string[]
  readonly relations: ReadonlyMap<string, Relation>
  /** The table that each index is on, both as `schema.name`. */
  readonly indexes: ReadonlyMap<string, string>
  readonly routines: ReadonlyMap<string, Standing>
  readonly operators: ReadonlyMap<string, Standing>
  readonly types: ReadonlyMap<string, Standing>
  readonly typesByOid: ReadonlyMap<number, NamedType>
}

export interface NamedType {
  /** `schema.name` */
  readonly name: string
  readonly harmless: boolean
}

/**
 * `harmless`: without effect whatever it is called with (an enum, a member of an extension that is
 * known).
 */
export type Standing = 'none' | 'harmless' | 'unproven'

export interface Relation {
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'view' | 'materialized-view' | 'foreign-table' | 'sequence' | 'other'
  /** In order, without those that were dropped. */
  readonly columns: readonly string[]
  /** Each column that is generated with each that it is made from. */
  readonly generated: readonly (readonly [string, string])[]
  /**
   * Of a view, materialized or not: its query, as the server prints it with every name qualified.
   */
  readonly definition: string | null
  /**
   * Tables that inherit from it, or are partitions of it; `schema.name`. All of them, at any depth.
   */
  readonly children: readonly string[]
  /** Tables that it inherits from; `schema.name`. */
  readonly parents: readonly string[]
  /**
   * Code that runs with a statement, and is not in it: triggers, and rules besides a view's own.
   */
  readonly triggers: boolean
  readonly rules: boolean
  /** Of row-level security: what each policy calls, as expressions with every name qualified. */
  readonly policies: readonly string[]
  /** A default or generated column draws from a sequence, or calls something volatile. */
  readonly volatileDefaults: boolean
  /**
   * A column has a type with code of somebody's own that no word of a statement calls: a conversion
   * to other types, an order.
   */
  readonly ownCode: boolean
  /**
   * Foreign keys that point at it and do something: ON DELETE CASCADE; `schema.name` of the tables.
   */
  readonly cascades: readonly string[]
}

/**
 * A connection of the gateway's own, always the same session, as the role of the resource. Answers
 * each row by column name.
 */
export interface Probe {
  query(
    sql: string,
    values: readonly (string | null)[],
  ): Promise<readonly Readonly<Record<string, string | null>>[]>
}

/** One that keeps a connection for itself while something is done with it. */
export interface SessionProbe {
  /**
   * Every question goes over one connection, or fails with it: none is asked on another one. It is
   * closed if `work` rejects.
   */
  within<Result>(work: (probe: Probe) => Promise<Result>): Promise<Result>
}

/**
 * `createAnalyser()` of `analyse.ts` makes one for the process: it holds the parser and the cache.
 */
export interface Analyser {
  /**
   * Never throws, and never rejects: what cannot be read comes back as `unreadable`. At once for
   * texts that are short or known; a promise for those above 64 KB, which are parsed in a thread of
   * their own.
   */
  analyse(text: string, context: SqlContext): Analysis | Promise<Analysis>
  close(): Promise<void>
}

/** `new Catalogues(probe)` of `catalogues.ts`: one for each database of a resource. */
export interface CatalogueSource {
  /**
   * At once where it is known; read again when it is older than its limit, when DDL has passed, or
   * when it is wanted `anew`. `null` when it cannot be read: closed, names are unknown then.
   */
  current(anew?: boolean): Catalogue | null | Promise<Catalogue | null>
  /** DDL has passed: what `current()` gave before is not used again. */
  changed(): void
}
