import { createHash } from 'node:crypto'
import type { Rows } from './server-side.ts'
import { sinceCrash } from './sql/catalogue-changes.ts'
import { partsOf } from './sql/names.ts'
import type { Probe, SqlAttributes } from './sql/statement.ts'

/**
 * The attributes that list what a text names, directly or through a view, and what else it may run.
 */
const lists = ['named', 'reached', 'functions', 'unproven'] as const

// A row version is identified by its place and by the transaction that wrote it. Operators are
// qualified, so that the session's search_path cannot decide what this means.
const version = (row: string): string => `pg_catalog.concat_ws(' ', ${row}.xmin, ${row}.ctid)`
const equal = 'OPERATOR(pg_catalog.=)'

/** A condition that selects rows by a column with an OID. */
type Which = (column: string) => string

const among =
  (named: string): Which =>
  (column) =>
    `${column} ${equal} ANY (ARRAY(SELECT oid FROM ${named}))`

/** Everything that did not come with the server (PostgreSQL documentation, "OID Assignment"). */
const ofDatabase: Which = (column) => `${column} OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid`

/**
 * What belongs to a table and decides what a statement on it does. TRUNCATE rewrites the row in
 * `pg_class`, so only some of its columns count.
 */
const ofRelations = (which: Which): string =>
  [
    `SELECT 'relation', c.oid, pg_catalog.concat_ws(' ', relkind, relowner, relrowsecurity, relforcerowsecurity, relacl)
       FROM pg_catalog.pg_class c WHERE ${which('c.oid')}`,
    ...[
      ['pg_attribute', 'attrelid'],
      ['pg_attrdef', 'adrelid'],
      ['pg_constraint', 'conrelid'],
      ['pg_constraint', 'confrelid'],
      ['pg_inherits', 'inhrelid'],
      ['pg_inherits', 'inhparent'],
    ].map(([catalogue, owner]) => dependent(catalogue!, owner!, which)),
    ...guards(which),
  ].join(' UNION ALL ')

/** Code that runs along with a statement, although the statement does not name it. */
const guards = (which: Which): string[] =>
  [
    ['pg_rewrite', 'ev_class'],
    ['pg_trigger', 'tgrelid'],
    ['pg_policy', 'polrelid'],
  ].map(([catalogue, owner]) => dependent(catalogue!, owner!, which))

function dependent(catalogue: string, owner: string, which: Which): string {
  return `SELECT '${catalogue}', d.${owner}, ${version('d')} FROM pg_catalog.${catalogue} d WHERE ${which(`d.${owner}`)}`
}

const inSchemas = (catalogue: string, prefix: string): string =>
  `SELECT o.oid FROM pg_catalog.${catalogue} o
     JOIN pg_catalog.pg_namespace n ON n.oid ${equal} o.${prefix}namespace
     JOIN wanted v ON v.schema ${equal} n.nspname AND v.name ${equal} o.${prefix}name`

/**
 * The parts through which a relation uses functions and operators, as a view does by its rule
 * (PostgreSQL documentation, "Dependency Tracking").
 */
const parts = [
  ['pg_rewrite', 'ev_class'],
  ['pg_policy', 'polrelid'],
  ['pg_trigger', 'tgrelid'],
  ['pg_attrdef', 'adrelid'],
  ['pg_constraint', 'conrelid'],
] as const

const refers = (what: string): string => `
     JOIN pg_catalog.pg_depend d ON d.classid ${equal} o.classid AND d.objid ${equal} o.objid
    WHERE d.refclassid ${equal} 'pg_catalog.${what}'::pg_catalog.regclass`

/**
 * The objects with these names, of any kind, and those that they use according to the server. The
 * latter includes what lies behind a view that could not be read when the text was judged. Each
 * object is looked up once, because planning this takes longer than running it.
 */
const lookUp = (names: string): string =>
  `WITH RECURSIVE wanted(schema, name) AS (VALUES ${names}),
    relations(oid) AS (${inSchemas('pg_class', 'rel')}
      UNION SELECT d.refobjid FROM relations v
        JOIN pg_catalog.pg_rewrite w ON w.ev_class ${equal} v.oid
        JOIN pg_catalog.pg_depend d ON d.classid ${equal} 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid ${equal} w.oid
        WHERE d.refclassid ${equal} 'pg_catalog.pg_class'::pg_catalog.regclass),
    parts AS MATERIALIZED (${parts.map(partsOfRelations).join(' UNION ALL ')}),
    operators AS MATERIALIZED (${inSchemas('pg_operator', 'opr')}
      UNION ALL SELECT d.refobjid FROM parts o ${refers('pg_operator')}),
    types AS MATERIALIZED (${inSchemas('pg_type', 'typ')}),
    routines AS MATERIALIZED (${inSchemas('pg_proc', 'pro')}
      UNION ALL SELECT d.refobjid FROM parts o ${refers('pg_proc')}
      UNION ALL SELECT p.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator p
        WHERE ${among('operators')('p.oid')}) `

function partsOfRelations([catalogue, owner]: readonly [string, string]): string {
  return `SELECT '${catalogue}'::pg_catalog.regclass::pg_catalog.oid AS classid, c.oid AS objid FROM pg_catalog.${catalogue} c WHERE ${among('relations')(`c.${owner}`)}`
}

const ofNamed = [
  ofRelations(among('relations')),
  `SELECT 'routine', r.oid, ${version('r')} FROM pg_catalog.pg_proc r WHERE ${among('routines')('r.oid')}`,
  `SELECT 'type', t.oid, ${version('t')} FROM pg_catalog.pg_type t WHERE ${among('types')('t.oid')} AND t.typtype ${equal} 'd'`,
  dependent('pg_constraint', 'contypid', among('types')),
].join(' UNION ALL ')

/** Locks that a reader waits for, and a writer (PostgreSQL documentation, "Table-Level Locks"). */
const ofReaders = ['AccessExclusiveLock']
const ofWriters = ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', ...ofReaders]

/**
 * What others have locked in order to change it. A statement that is sent now would wait for them,
 * and then mean what they have made of it. Those who wait for this very session do not count.
 */
const contested = (isRead: boolean): string =>
  `SELECT 'contested', l.relation, l.mode FROM pg_catalog.pg_locks l
    WHERE ${among('relations')('l.relation')} AND l.locktype ${equal} 'relation'
      AND l.mode ${equal} ANY ('{${(isRead ? ofReaders : ofWriters).join(',')}}'::pg_catalog.text[])
      AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND (l.granted OR pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) ALL (pg_catalog.pg_blocking_pids(l.pid)))`

/** For a text that may run anything: all code that did not come with the server. */
const anything = [
  `SELECT 'any routine', r.oid, ${version('r')} FROM pg_catalog.pg_proc r WHERE ${ofDatabase('r.oid')}`,
  ...guards(ofDatabase),
].join(' UNION ALL ')

const isolation = `SELECT 'isolation', 0::pg_catalog.oid, pg_catalog.current_setting('transaction_isolation')`

/**
 * After a crash, the server reuses transaction ids and row places that had not reached the disk, so
 * they identify nothing across one.
 */
const history = `SELECT 'history', 0::pg_catalog.oid, ${sinceCrash}::pg_catalog.text`

/** The query that asks what the names in a text stand for; `null` for a text that names nothing. */
export function definitionsQuestion(sql: SqlAttributes): string | null {
  const known = lists.flatMap((list) => {
    const names = sql[list]
    return Array.isArray(names) ? (names as readonly string[]) : []
  })
  const isOpen = lists.some((list) => !Array.isArray(sql[list]))
  const pairs = [...new Set(known)].map(partsOf).filter(([schema]) => schema !== 'pg_catalog')
  const values = pairs.map(([schema = '', name = '']) => `(${literal(schema)}, ${literal(name)})`)
  const isRead = Array.isArray(sql.tables_written) && sql.tables_written.length === 0
  const questions = [
    ...(values.length > 0 ? [ofNamed, contested(isRead)] : []),
    ...(isOpen ? [anything] : []),
  ]
  if (questions.length === 0) return null
  const named = values.length > 0 ? lookUp(values.join(', ')) : ''
  return named + [isolation, history, ...questions].join(' UNION ALL ')
}

/**
 * Binds an approval to what the names in a text stand for: SHA-256, in hex. A table, view or
 * function that was replaced, or that got another owner, rule, trigger, policy or right, gives
 * another digest, even under the same name. `seen` is the session's own answer to `question`. A
 * transaction that keeps to one snapshot sees old definitions there, while the server runs by the
 * current ones: for such a session `outside`, a connection without a transaction, is asked as well.
 */
export async function definitionsIn(seen: Rows, question: string, outside: Probe): Promise<string> {
  const level = seen.find(([what]) => what === 'isolation')?.[2]
  const own = linesOf(seen)
  const others =
    level === 'read committed'
      ? own
      : linesOf((await outside.query(question, [])).map((row) => Object.values(row)))
  // Where both see the same, the digest does not depend on the isolation level.
  const all = own === others ? own : `${own}\n\n${others}`
  return createHash('sha256').update(all).digest('hex')
}

/** Whether the answer says that somebody is about to change what a text names. */
export function isContested(seen: Rows): boolean {
  return seen.some(([what]) => what === 'contested')
}

function linesOf(rows: Rows): string {
  const definitions = rows.filter(([what]) => what !== 'isolation' && what !== 'contested')
  return definitions
    .map((row) => JSON.stringify(row))
    .toSorted()
    .join('\n')
}

/** Typed like the catalogues' own columns, so that their indexes are used. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'::pg_catalog.name`
}
