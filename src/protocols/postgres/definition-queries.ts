/**
 * Parts of the question about definitions (`definitions.ts`). It runs in the client's own session,
 * whose search_path must not decide what it means: every name and every operator is qualified.
 */
const equal = 'OPERATOR(pg_catalog.=)'

/** A row version is identified by its place and by the transaction that wrote it. */
const version = (row: string): string => `pg_catalog.concat_ws(' ', ${row}.xmin, ${row}.ctid)`

/** Everything that did not come with the server (PostgreSQL documentation, "OID Assignment"). */
const ofDatabase = (column: string): string =>
  `${column} OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid`

const classOf = (catalogue: string): string =>
  `'pg_catalog.${catalogue}'::pg_catalog.regclass::pg_catalog.oid`

const amongClasses = (column: string, catalogues: readonly string[]): string =>
  `${column} ${equal} ANY (ARRAY[${catalogues.map(classOf).join(', ')}])`

const amongLetters = (column: string, letters: string): string =>
  `${column} ${equal} ANY ('{${[...letters].join(',')}}'::pg_catalog."char"[])`

/** What has a schema and a name, and can be named in a text. */
const named = [
  ['pg_class', 'rel'],
  ['pg_proc', 'pro'],
  ['pg_type', 'typ'],
  ['pg_operator', 'opr'],
] as const

const lookUpNamed = ([catalogue, prefix]: (typeof named)[number]): string =>
  `SELECT ${classOf(catalogue)}, o.oid FROM wanted v JOIN pg_catalog.${catalogue} o
      ON o.${prefix}name ${equal} v.name AND o.${prefix}namespace ${equal} v.namespace`

/** What a statement runs or looks at because it runs or looks at the thing that refers to it. */
const used = ['pg_proc', 'pg_operator', 'pg_type', 'pg_opclass']
/** These run what they are made of. A foreign key, say, only looks at the other table. */
const queries = ['pg_rewrite', 'pg_policy', 'pg_type']
/** What belongs to something, and takes part when that is used. */
const parts = [
  ...['pg_class', 'pg_rewrite', 'pg_trigger', 'pg_policy', 'pg_attrdef', 'pg_constraint'],
  'pg_amproc',
]

/** From one object to the next (PostgreSQL documentation, "pg_depend" and "Dependency Tracking"). */
const steps = [
  `SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend d
    WHERE d.classid ${equal} o.class AND d.objid ${equal} o.id
      AND (${amongClasses('d.refclassid', used)}
           OR d.refclassid ${equal} ${classOf('pg_class')} AND ${amongClasses('d.classid', queries)})`,
  // Its own parts; foreign keys that point at a table; casts of a type.
  `SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
    WHERE d.refclassid ${equal} o.class AND d.refobjid ${equal} o.id
      AND (${amongLetters('d.deptype', 'aiPS')} AND ${amongClasses('d.classid', parts)}
           OR d.classid ${equal} ${classOf('pg_constraint')} AND o.class ${equal} ${classOf('pg_class')}
           OR d.classid ${equal} ${classOf('pg_cast')} AND o.class ${equal} ${classOf('pg_type')})`,
  `SELECT ${classOf('pg_class')}, i.inhrelid FROM pg_catalog.pg_inherits i
    WHERE i.inhparent ${equal} o.id AND o.class ${equal} ${classOf('pg_class')}`,
  // A table whose rows change with those that a foreign key points at.
  `SELECT ${classOf('pg_class')}, k.conrelid FROM pg_catalog.pg_constraint k
    WHERE k.oid ${equal} o.id AND o.class ${equal} ${classOf('pg_constraint')}
      AND (${amongLetters('k.confdeltype', 'cnd')} OR ${amongLetters('k.confupdtype', 'cnd')})`,
]

/** An event trigger runs with whatever defines something. */
const eventTriggers = `SELECT ${classOf('pg_proc')}, e.evtfoid FROM pg_catalog.pg_event_trigger e`

/**
 * Finds what these names, pairs of schema and name in SQL, stand for, and everything that takes
 * part when it is used, according to the server: also what lies behind a view that could not be
 * read when the text was judged.
 */
export function reachedFrom(names: string, defines: boolean): string {
  const starts = [...named.map(lookUpNamed), ...(defines ? [eventTriggers] : [])]
  return `WITH RECURSIVE
    wanted(namespace, name) AS (
      SELECT n.oid, v.name FROM (VALUES ${names}) v(schema, name)
        JOIN pg_catalog.pg_namespace n ON n.nspname ${equal} v.schema),
    objects(class, id) AS (
      (${starts.join(' UNION ALL ')})
      UNION SELECT x.class, x.id FROM objects o, LATERAL (${steps.join(' UNION ALL ')}) x(class, id)),
    relations(id) AS MATERIALIZED (
      SELECT c.oid FROM pg_catalog.pg_class c
       WHERE ${reached('pg_class', 'c.oid')} AND ${amongLetters('c.relkind', 'rpvmfcS')}),
    code(runs) AS MATERIALIZED (
      SELECT EXISTS (
        SELECT FROM objects o
         WHERE o.class ${equal} ${classOf('pg_proc')} AND ${ofDatabase('o.id')}
           AND NOT EXISTS (
             SELECT FROM pg_catalog.pg_depend e
              WHERE e.classid ${equal} o.class AND e.objid ${equal} o.id AND e.deptype ${equal} 'e'))) `
}

/** Whether there is code among it that somebody has written. */
export const runsCode = `SELECT 'code', 0::pg_catalog.oid, runs::pg_catalog.text FROM code`

const reached = (catalogue: string, column: string): string =>
  `${column} ${equal} ANY (ARRAY(SELECT id FROM objects WHERE class ${equal} ${classOf(catalogue)}))`

const ofRelations = (column: string): string =>
  `${column} ${equal} ANY (ARRAY(SELECT id FROM relations))`

/** REINDEX CONCURRENTLY gives them another index, which is the same to them. */
const indexOf: Readonly<Record<string, string>> = {
  pg_constraint: 'conindid',
  pg_trigger: 'tgconstrindid',
}

function rowsOf(catalogue: string, about: string, which: string): string {
  const index = indexOf[catalogue]
  const what = index
    ? `(pg_catalog.to_jsonb(d) OPERATOR(pg_catalog.-) '${index}')::pg_catalog.text`
    : version('d')
  return `SELECT '${catalogue}', d.${about}, ${what} FROM pg_catalog.${catalogue} d WHERE ${which}`
}

const inOneRow = (catalogue: string, which: string): string =>
  `SELECT 'all of ${catalogue}', 0::pg_catalog.oid, pg_catalog.string_agg(${version('d')}, ',' ORDER BY d.oid)
     FROM pg_catalog.${catalogue} d WHERE ${which}`

const ofDomains = 'd.contypid OPERATOR(pg_catalog.>) 0::pg_catalog.oid'

/**
 * What `reachedFrom` has found. VACUUM, ANALYZE, TRUNCATE and REINDEX rewrite rows of `pg_class`
 * and `pg_index`, so only some columns of the former count, and nothing of the latter. What a new
 * operator, cast, or check of a domain changes cannot be told by names, and there are few.
 */
export const ofNamed = [
  `SELECT 'relation', c.oid, pg_catalog.concat_ws(' ', relkind, relowner, relrowsecurity, relforcerowsecurity, relacl,
          CASE WHEN relkind ${equal} 'v' THEN reloptions END, pg_catalog.row_security_active(c.oid))
     FROM pg_catalog.pg_class c WHERE ${ofRelations('c.oid')}`,
  `SELECT 'roles of policies', p.oid, pg_catalog.string_agg(pg_catalog.pg_has_role(r, 'USAGE')::pg_catalog.text, ' ')
     FROM pg_catalog.pg_policy p, pg_catalog.unnest(p.polroles) r
    WHERE ${reached('pg_policy', 'p.oid')} AND r OPERATOR(pg_catalog.<>) 0::pg_catalog.oid GROUP BY p.oid`,
  rowsOf('pg_attribute', 'attrelid', ofRelations('d.attrelid')),
  rowsOf('pg_inherits', 'inhrelid', ofRelations('d.inhrelid')),
  ...['pg_rewrite', 'pg_trigger', 'pg_policy', 'pg_attrdef', 'pg_proc'].map((catalogue) =>
    rowsOf(catalogue, 'oid', reached(catalogue, 'd.oid')),
  ),
  rowsOf('pg_constraint', 'oid', `(${reached('pg_constraint', 'd.oid')} OR ${ofDomains})`),
  rowsOf('pg_type', 'oid', `${reached('pg_type', 'd.oid')} AND d.typtype ${equal} 'd'`),
  rowsOf('pg_enum', 'enumtypid', reached('pg_type', 'd.enumtypid')),
  ...['pg_operator', 'pg_cast', 'pg_collation', 'pg_opclass'].map((catalogue) =>
    inOneRow(catalogue, ofDatabase('d.oid')),
  ),
]

/** Locks that a reader waits for, and a writer (PostgreSQL documentation, "Table-Level Locks"). */
const ofReaders = ['AccessExclusiveLock']
const ofWriters = ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', ...ofReaders]

/**
 * What others have locked in order to change it. A statement that is sent now would wait for them,
 * and then mean what they have made of it. Those who wait for this very session do not count.
 */
export const contested = (isRead: boolean): string =>
  `SELECT 'contested', l.relation, l.mode FROM pg_catalog.pg_locks l
    WHERE ${ofRelations('l.relation')} AND l.locktype ${equal} 'relation'
      AND l.mode ${equal} ANY ('{${(isRead ? ofReaders : ofWriters).join(',')}}'::pg_catalog.text[])
      AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND (l.granted OR pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) ALL (pg_catalog.pg_blocking_pids(l.pid)))`

const notOfOthers = (catalogue: string, prefix: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_catalog.${catalogue} c
      WHERE c.oid ${equal} ${oid} AND pg_catalog.pg_is_other_temp_schema(c.${prefix}namespace))`

const guard = (catalogue: string, owner: string): string =>
  rowsOf(
    catalogue,
    owner,
    `${ofDatabase(`d.${owner}`)} AND ${notOfOthers('pg_class', 'rel', `d.${owner}`)}`,
  )

/**
 * For a text that may run anything: all code that did not come with the server, but for other
 * sessions' own, and whatever runs it.
 */
export const ofAnything = [
  rowsOf(
    'pg_proc',
    'oid',
    `${ofDatabase('d.oid')} AND NOT pg_catalog.pg_is_other_temp_schema(d.pronamespace)`,
  ),
  guard('pg_rewrite', 'ev_class'),
  guard('pg_trigger', 'tgrelid'),
  guard('pg_policy', 'polrelid'),
  `SELECT 'runs', d.refobjid, pg_catalog.concat_ws(' ', d.classid, d.objid) FROM pg_catalog.pg_depend d
    WHERE d.refclassid ${equal} ${classOf('pg_proc')} AND ${ofDatabase('d.refobjid')}
      AND ${amongClasses('d.classid', ['pg_class', 'pg_attrdef', 'pg_constraint', 'pg_operator', 'pg_cast', 'pg_amproc'])}`,
  rowsOf('pg_foreign_table', 'ftrelid', 'true'),
  rowsOf('pg_foreign_server', 'oid', 'true'),
  rowsOf('pg_event_trigger', 'oid', 'true'),
]
