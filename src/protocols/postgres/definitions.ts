import { createHash } from 'node:crypto'
import type { Rows } from './server-side.ts'
import { sinceCrash } from './sql/catalogue-changes.ts'
import { partsOf } from './sql/names.ts'
import type { Probe, SqlAttributes } from './sql/statement.ts'

/**
 * Lists of what a text names, in its own words or through a view; and of what it may run besides.
 */
const lists = ['named', 'reached', 'functions', 'unproven'] as const

// Each version of a row has its own place, and the transaction that wrote it. The session's own
// search_path must not decide what any of this means.
const version = (row: string): string => `pg_catalog.concat_ws(' ', ${row}.xmin, ${row}.ctid)`
const equal = 'OPERATOR(pg_catalog.=)'

/** Which rows: by a column with an OID. */
type Which = (column: string) => string

const among =
  (named: string): Which =>
  (column) =>
    `${column} ${equal} ANY (ARRAY(SELECT oid FROM ${named}))`

/** What did not come with the server (PostgreSQL documentation, "OID Assignment"). */
const ofDatabase: Which = (column) => `${column} OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid`

/**
 * What depends on a table, and decides what a statement on it does. A row of `pg_class` itself is
 * written anew by TRUNCATE, and does not count as a whole.
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

/** Code that runs with a statement, and is not in it. */
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
 * By what a relation uses functions and operators: a view by its rule (PostgreSQL documentation,
 * "Dependency Tracking").
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
 * The objects by these names, of whatever kind, a table or a function; and what the server knows
 * that these use, even where the text was read at a moment when a view could not be. Each is looked
 * for once: planning this takes longer than running it.
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

/**
 * Where a text may run what nobody can tell: everything that runs code, and did not come with the
 * server.
 */
const anything = [
  `SELECT 'any routine', r.oid, ${version('r')} FROM pg_catalog.pg_proc r WHERE ${ofDatabase('r.oid')}`,
  ...guards(ofDatabase),
].join(' UNION ALL ')

const isolation = `SELECT 'isolation', 0::pg_catalog.oid, pg_catalog.current_setting('transaction_isolation')`

/**
 * After a crash, transactions get numbers again, and rows get places, that others had which were
 * not on the disk yet.
 */
const history = `SELECT 'history', 0::pg_catalog.oid, ${sinceCrash}::pg_catalog.text`

/** Asks what the names in a text stand for; `null` for a text that names nothing. */
export function definitionsQuestion(sql: SqlAttributes): string | null {
  const known = lists.flatMap((list) => {
    const names = sql[list]
    return Array.isArray(names) ? (names as readonly string[]) : []
  })
  const isOpen = lists.some((list) => !Array.isArray(sql[list]))
  const pairs = [...new Set(known)].map(partsOf).filter(([schema]) => schema !== 'pg_catalog')
  const values = pairs.map(([schema = '', name = '']) => `(${literal(schema)}, ${literal(name)})`)
  const questions = [...(values.length > 0 ? [ofNamed] : []), ...(isOpen ? [anything] : [])]
  if (questions.length === 0) return null
  const named = values.length > 0 ? lookUp(values.join(', ')) : ''
  return named + [isolation, history, ...questions].join(' UNION ALL ')
}

/**
 * Binds an approval to what the names in a text stand for: a table, view or function that was
 * replaced, or got another owner, rule, trigger, policy or right, is another one, whatever it is
 * called. As the session itself sees them now, which `seen` is the answer of; and, where its
 * transaction keeps to one snapshot, as others do: the server goes by the definitions as they are,
 * whatever the snapshot. `outside`: a connection without a transaction.
 */
export async function definitionsIn(seen: Rows, question: string, outside: Probe): Promise<string> {
  const level = seen.find(([what]) => what === 'isolation')?.[2]
  const own = linesOf(seen)
  const others =
    level === 'read committed'
      ? own
      : linesOf((await outside.query(question, [])).map((row) => Object.values(row)))
  // What everybody sees alike is the same, in whatever transaction it is seen.
  const all = own === others ? own : `${own}\n\n${others}`
  return createHash('sha256').update(all).digest('hex')
}

function linesOf(rows: Rows): string {
  const definitions = rows.filter(([what]) => what !== 'isolation')
  return definitions
    .map((row) => JSON.stringify(row))
    .toSorted()
    .join('\n')
}

/** As catalogues have it, so that their indexes serve. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'::pg_catalog.name`
}
