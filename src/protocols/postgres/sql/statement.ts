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
   * Relations that the catalogue does not know or could not read. Usually empty; if not, the
   * catalogue may be out of date.
   */
  readonly missing: readonly string[]
  /**
   * Why the text could not be read, in which case `effect` and every attribute are unknown; `null`
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
   * The command tag of CommandComplete, as far as it is known beforehand: `SELECT`, `BEGIN`,
   * `CREATE TABLE`.
   */
  readonly command: string
  readonly effect: Effect
  readonly sql: SqlAttributes
  /** What it does to the session when it succeeds, in order. */
  readonly session: readonly SessionChange[]
  /**
   * Whether it touches no data, and changes neither what text means nor who acts: BEGIN, COMMIT,
   * ROLLBACK and savepoints, harmless settings, DEALLOCATE, CLOSE, DISCARD, UNLISTEN. Drivers send
   * these on their own, so nobody should have to write a rule for them.
   */
  readonly control: boolean
  /** Whether a single value in its result may be made from many rows, such as an array of them. */
  readonly gathers: boolean
  /** `true` if rolling back the transaction undoes everything that this does; otherwise why not. */
  readonly undoable: true | { readonly because: string }
}

/**
 * What policies call `action.sql`. Each list is sorted and without repetition, and replaced by an
 * `Unknown` where something may be missing from it.
 *
 * Tables are `schema.name`, columns `schema.table.column`, functions `schema.name`, as the server
 * resolves them.
 */
export interface SqlAttributes {
  readonly verb: Attribute
  readonly tables: Attribute
  readonly tables_read: Attribute
  readonly tables_written: Attribute
  /** Relations that the text itself names: a view, but not what it reads. */
  readonly named: Attribute
  /**
   * Includes what is not named: partitions, parents, tables that a deletion cascades to. `Unknown`
   * where anything may be reached.
   */
  readonly reached: Attribute
  readonly columns: Attribute
  readonly functions: Attribute
  /** The functions, operators and casts that are not known to be harmless. */
  readonly unproven: Attribute
  /**
   * Whether every SELECT, UPDATE and DELETE over a table is narrowed by a condition that is not
   * constant.
   */
  readonly has_where: Attribute
  /**
   * The most rows that it returns, where a single statement has a constant LIMIT; otherwise `null`.
   */
  readonly limit: Attribute
  readonly statements: Attribute
  /** Settings that it changes, and channels that it notifies. */
  readonly settings: Attribute
  readonly channels: Attribute
  /** The same for two texts that differ only in constants. */
  readonly shape: Attribute
  readonly [name: string]: Attribute
}

/** What a statement that succeeds changes about its session. */
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
  /** FETCH or MOVE. `rows`: the most that it takes; `null` for all. */
  | { readonly kind: 'fetch'; readonly name: string; readonly rows: number | null }
  | { readonly kind: 'close'; readonly name: string | null }
  | { readonly kind: 'copy-in' | 'copy-out' }
  | { readonly kind: 'listen' | 'notify'; readonly channel: string }
  | { readonly kind: 'unlisten'; readonly channel: string | null }
  | { readonly kind: 'discard'; readonly what: 'all' | 'plans' | 'sequences' | 'temp' }
  /** A temporary table, view, type or sequence takes this name. */
  | { readonly kind: 'temporary'; readonly name: string; readonly is: TemporaryKind }
  /** The catalogue has changed. `moves`: whether existing names may mean something else now. */
  | { readonly kind: 'ddl'; readonly moves: boolean }
  /**
   * It runs text that we cannot read (DO, an unknown function), so settings, names and prepared
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
   * The constants that it is set to (`search_path` takes several); `null` for the default, or where
   * they are not known.
   */
  readonly values: readonly string[] | null
  /** Whether it lasts only until the end of the transaction. */
  readonly local: boolean
  /** `settings.ts` says which are harmless. */
  readonly harmless: boolean
}

/**
 * What the meaning of a text depends on, besides the text. The holder of the session keeps it up to
 * date.
 */
export interface SqlContext {
  /**
   * Names of schemas, in order, with `"$user"` replaced. `pg_temp` and `pg_catalog` come first, as
   * on the server, if they are not listed.
   */
  readonly searchPath: readonly string[]
  readonly role: string
  readonly database: string
  /** `null` where the server could not be asked. Whatever needs the catalogue is `Unknown` then. */
  readonly catalogue: Catalogue | null
  /** By name: what PREPARE or a Parse message has defined in this session. */
  readonly prepared: ReadonlyMap<string, Statement>
  /** By name: the query of a DECLARE or of a portal. */
  readonly cursors: ReadonlyMap<string, Statement>
  /**
   * Names that `temporary` changes have introduced. Closed: kept until the session or a DISCARD
   * ends them, even after a rollback.
   */
  readonly temporary: ReadonlyMap<string, TemporaryKind>
  /**
   * OIDs of the parameter types that the client gives, if any. Their values go through the checks
   * of those types.
   */
  readonly parameters?: readonly number[]
  /**
   * Whether the transaction has changed what names mean, so that its end, or a return to a
   * savepoint, may undo that.
   */
  readonly unsettled: boolean
  /**
   * Functions, operators and types that the resource's owner declares harmless, as `schema.name`.
   */
  readonly harmless: ReadonlySet<string>
}

/** `other`, such as a view, may read tables that its name does not tell. */
export type TemporaryKind = 'table' | 'other'

/**
 * An immutable snapshot of what the server's catalogue says about names. A newer one has another
 * `version`.
 */
export interface Catalogue {
  /** Different for each snapshot in this process. */
  readonly version: number
  /** The same as plain data, for another thread. */
  readonly data: CatalogueData
  relation(schema: string, name: string): Relation | null
  /**
   * Whether there are any functions (procedures and aggregates included), operators or types of
   * that name, and whether all of them are harmless.
   */
  routine(schema: string, name: string): Standing
  operator(schema: string, name: string): Standing
  type(schema: string, name: string): Standing
  /** A type that did not come with the server; `null` if there is none. */
  typeOf(oid: number): NamedType | null
  hasSchema(name: string): boolean
}

/** Keyed by `schema.name`, each part in quotes where it needs them. */
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
 * `harmless`: without effect, whatever its arguments, such as an enum or a member of a known
 * extension.
 */
export type Standing = 'none' | 'harmless' | 'unproven'

export interface Relation {
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'view' | 'materialized-view' | 'foreign-table' | 'sequence' | 'other'
  /** In order, without those that were dropped. */
  readonly columns: readonly string[]
  /** Pairs of a generated column and a column that it is computed from. */
  readonly generated: readonly (readonly [string, string])[]
  /**
   * The query of a view or materialized view, as the server prints it with all names qualified;
   * otherwise `null`.
   */
  readonly definition: string | null
  /** Tables that inherit from it or are partitions of it, at any depth; `schema.name`. */
  readonly children: readonly string[]
  /** Tables that it inherits from; `schema.name`. */
  readonly parents: readonly string[]
  /**
   * Whether it has code that runs along with a statement: triggers, and rules other than a view's
   * own.
   */
  readonly triggers: boolean
  readonly rules: boolean
  /** The expressions of its row-level security policies, with all names qualified. */
  readonly policies: readonly string[]
  /** Whether a default or generated column draws from a sequence, or calls something volatile. */
  readonly volatileDefaults: boolean
  /**
   * Whether a column has a type with user-defined code that runs without any word for it in a
   * statement: a conversion to other types, a sort order.
   */
  readonly ownCode: boolean
  /**
   * Tables whose foreign keys change them when rows here go, as ON DELETE CASCADE does;
   * `schema.name`.
   */
  readonly cascades: readonly string[]
}

/**
 * A connection of the gateway's own, with the role of the resource. Each row comes by column name.
 */
export interface Probe {
  query(
    sql: string,
    values: readonly (string | null)[],
  ): Promise<readonly Readonly<Record<string, string | null>>[]>
}

/** A probe that reserves a connection for a piece of work. */
export interface SessionProbe {
  /**
   * Runs `work`, whose questions all go over one connection, or fail with it. The connection is
   * closed if `work` rejects.
   */
  within<Result>(work: (probe: Probe) => Promise<Result>): Promise<Result>
}

/**
 * Made by `createAnalyser()` in `analyse.ts`. One for the process, as it holds the parser and the
 * caches.
 */
export interface Analyser {
  /**
   * Never throws and never rejects: what cannot be read comes back as `unreadable`. Usually answers
   * at once. Returns a promise for texts above 64 K characters, which are parsed in a thread, and
   * while the parser is being renewed.
   */
  analyse(text: string, context: SqlContext): Analysis | Promise<Analysis>
  close(): Promise<void>
}

/** Implemented by `Catalogues` in `catalogues.ts`. One for each database of a resource. */
export interface CatalogueSource {
  /**
   * The catalogue: at once where it is known, and read again when it is too old, when DDL has
   * passed, or when it is wanted `anew`. Closed: `null` when it cannot be read, and then names are
   * unknown.
   */
  current(anew?: boolean): Catalogue | null | Promise<Catalogue | null>
  /** DDL has passed, so what `current()` returned before is not used again. */
  changed(): void
}
