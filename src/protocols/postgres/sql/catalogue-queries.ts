/**
 * The queries that read the server's catalogue: for PostgreSQL 13 and newer, and allowed to every
 * role. Every column is text; lists are JSON. They run with an empty search path, so that
 * definitions come with all names qualified, and without JIT, because compiling one takes longer
 * than running it. The server cannot print expressions of what somebody has locked, so those are
 * left out (`Locked`). We wait only briefly for a lock that is taken in between: for less than
 * `deadlock_timeout` (one second), so that it is never somebody's DDL that the server ends as a
 * deadlock.
 */
export const emptyPath = `
  SELECT pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('lock_timeout', '500ms', false),
         pg_catalog.set_config('jit', 'off', false)`

/** A condition that selects rows by a column with an OID. */
export type Which = (oid: string) => string

export const all: Which = () => 'true'

export const among =
  (oids: Iterable<number>): Which =>
  (oid) =>
    `${oid} = ANY ('{${[...oids].join(',')}}'::pg_catalog.oid[])`

/**
 * OIDs of tables and views whose expressions cannot be read without waiting for somebody else's
 * transaction.
 */
export type Locked = ReadonlySet<number>

/**
 * Tables and views that another transaction has locked exclusively, or waits to lock: everybody
 * queues behind such a request. IS DISTINCT FROM, because a prepared transaction has no pid.
 */
export const lockedNow = `
  SELECT DISTINCT l.relation AS oid
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_database d ON d.oid = l.database
   WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND d.datname = pg_catalog.current_database()
     AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()`

export const encoding = `
  SELECT pg_catalog.getdatabaseencoding() AS encoding`

export const schemas = `
  SELECT oid, nspname AS name, pg_catalog.concat_ws(' ', nspowner, nspacl) AS rights
    FROM pg_catalog.pg_namespace
   WHERE nspname !~ '^pg_(toast|temp)'`

const notOfExtension = (catalogue: string, oid: string): string => `
         NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                      WHERE x.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass
                        AND x.objid = ${oid} AND x.deptype = 'e')`

/**
 * Types with user-defined code that runs without any word for it in the statement: a cast function,
 * wherever a value is converted implicitly; an operator class, wherever rows are sorted or
 * compared. `converted`: whether it is values of this type that are converted or compared. Most
 * databases have no such types.
 */
export const ownCode = `
  SELECT k.castsource AS oid, true::text AS converted
    FROM pg_catalog.pg_cast k
   WHERE k.castfunc >= 16384 AND (k.castsource >= 16384 OR k.castcontext = 'i') AND ${notOfExtension('pg_cast', 'k.oid')}
   UNION ALL
  SELECT k.casttarget, false::text
    FROM pg_catalog.pg_cast k
   WHERE k.castfunc >= 16384 AND (k.casttarget >= 16384 OR k.castsource < 16384) AND ${notOfExtension('pg_cast', 'k.oid')}
   UNION ALL
  SELECT c.opcintype, true::text
    FROM pg_catalog.pg_opclass c
   WHERE c.oid >= 16384 AND ${notOfExtension('pg_opclass', 'c.oid')}`

/**
 * Whether a type is one of `own`, or an array, row, range or domain of them. Joined by equality, so
 * that each step takes the length of the catalogue, and not that times the number of own types.
 */
const isAmong = (type: string, own: readonly number[]): string =>
  own.length === 0
    ? 'false'
    : `${type} IN (
  WITH RECURSIVE own AS (
    SELECT unnest('{${own.join(',')}}'::pg_catalog.oid[]) AS type
     UNION
    SELECT made.type
      FROM own
      JOIN (SELECT oid AS type, typelem AS part FROM pg_catalog.pg_type WHERE typcategory = 'A'
             UNION ALL
            SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typtype = 'd'
             UNION ALL
            SELECT rngtypid, rngsubtype FROM pg_catalog.pg_range
             UNION ALL
            SELECT t.oid, a.atttypid
              FROM pg_catalog.pg_type t
              JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0
             WHERE t.typtype = 'c') made
        ON made.part = own.type)
  SELECT type FROM own)`

/**
 * `own`: types whose values user-defined code converts or compares. A default that cannot be read
 * counts as volatile.
 */
export const relations = (which: Which, own: readonly number[], locked: Locked): string => `
  SELECT c.oid,
         n.nspname AS schema,
         c.relname AS name,
         c.relkind AS kind,
         coalesce((SELECT json_agg(a.attname ORDER BY a.attnum)
                     FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')::text AS columns,
         EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                  WHERE a.attrelid = c.oid AND a.attnum > 0
                    AND (a.attidentity <> ''
                         OR CASE WHEN ${among(locked)('c.oid')} THEN d.adbin IS NOT NULL
                                 ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '\\(' END))::text
           AS volatile_defaults,
         (SELECT json_agg(json_build_array(a.attname, s.attname))
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            JOIN pg_catalog.pg_depend x
              ON (x.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND x.objid = d.oid)
                 OR (x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.objsubid = a.attnum)
            JOIN pg_catalog.pg_attribute s
              ON x.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND s.attrelid = x.refobjid AND s.attnum = x.refobjsubid
           WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND s.attrelid = c.oid AND s.attnum <> a.attnum)::text AS generated,
         c.relrowsecurity::text AS guarded,
         EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0
                    AND ${isAmong('a.atttypid', own)})::text AS own_code
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     AND ${which('c.oid')}
     AND n.nspname !~ '^pg_(toast|temp)'`

/** Indexes that did not come with the server, each with its table. */
export const indexes = (which: Which): string => `
  SELECT c.oid, n.nspname AS schema, c.relname AS name, i.indrelid AS on_table
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE ${which('c.oid')}
     AND n.nspname !~ '^pg_(toast|temp)' AND c.oid >= 16384`

/**
 * The definitions of views and materialized views; an empty text for those that cannot be read.
 * They name columns and tables by their current names, so renaming one changes the text.
 */
export const definitions = (which: Which, locked: Locked): string => `
  SELECT c.oid, CASE WHEN ${among(locked)('c.oid')} THEN '' ELSE pg_catalog.pg_get_viewdef(c.oid) END AS definition
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('v', 'm')
     AND ${which('c.oid')}
     AND n.nspname !~ '^pg_(toast|temp)'
     AND (n.nspname NOT IN ('pg_catalog', 'information_schema') OR c.oid >= 16384)`

/** The views that refer to one of these objects, of any kind. */
export const viewsOf = (objects: Iterable<number>): string => `
  SELECT r.ev_class AS oid
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
   WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND ${among(objects)('d.refobjid')}`

/** Tables with triggers, which run along with a statement that does not name them. */
export const triggers = `
  SELECT DISTINCT tgrelid AS oid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal`

/** Tables with rules, except the `ON SELECT` rules that make a view a view. */
export const rules = `
  SELECT DISTINCT ev_class AS oid FROM pg_catalog.pg_rewrite WHERE ev_type <> '1'`

/**
 * The expressions of row-level security policies, with all names qualified; an empty one where they
 * cannot be read.
 */
export const policies = (locked: Locked): string => `
  SELECT p.polrelid AS oid, json_agg(expression ORDER BY p.oid, expression)::text AS expressions
    FROM pg_catalog.pg_policy p,
         unnest(CASE WHEN ${among(locked)('p.polrelid')} THEN ARRAY['']
                     ELSE ARRAY[pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                                pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)] END) AS expression
   WHERE expression IS NOT NULL
   GROUP BY 1`

/** Inheritance and partitions, as pairs of a parent and a direct child. */
export const inheritance = `
  SELECT i.inhparent AS one, i.inhrelid AS other
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
   WHERE p.relkind IN ('r', 'p', 'f')`

/** Foreign keys that change rows of their own table when the row they refer to goes or changes. */
export const cascades = `
  SELECT DISTINCT k.confrelid AS one, k.conrelid AS other
    FROM pg_catalog.pg_constraint k
   WHERE k.contype = 'f'
     AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))`

/** Extensions whose functions have no effects, except those declared volatile. */
const harmlessExtensions = `('btree_gin', 'btree_gist', 'citext', 'cube', 'earthdistance', 'fuzzystrmatch', 'hstore',
   'intarray', 'isn', 'ltree', 'pg_trgm', 'postgis', 'seg', 'unaccent', 'vector')`

/** This function of hstore makes a row of a table, and so runs the checks of its columns. */
const notOfRows = `p.proname <> 'populate_record'`

/** Extensions whose volatile functions have no effects either: they make random numbers. */
const randomExtensions = `('pgcrypto', 'uuid-ossp')`

const ofExtension = (catalogue: string, oid: string): string => `
    LEFT JOIN pg_catalog.pg_depend x
      ON x.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND x.objid = ${oid} AND x.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e
      ON x.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.oid = x.refobjid`

export const routines = (which: Which): string => `
  SELECT p.oid, n.nspname AS schema, p.proname AS name,
         coalesce((e.extname IN ${harmlessExtensions} AND p.provolatile <> 'v' AND ${notOfRows})
                  OR e.extname IN ${randomExtensions}, false)::text AS harmless
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    ${ofExtension('pg_proc', 'p.oid')}
   WHERE ${which('p.oid')}`

/** Operators that did not come with the server. Those that did are harmless. */
export const operators = `
  SELECT o.oid, n.nspname AS schema, o.oprname AS name,
         coalesce(e.extname IN ${harmlessExtensions} AND p.provolatile <> 'v' AND ${notOfRows}, false)::text AS harmless
    FROM pg_catalog.pg_operator o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    LEFT JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
    ${ofExtension('pg_operator', 'o.oid')}
   WHERE n.nspname <> 'pg_catalog' OR o.oid >= 16384`

/**
 * Types, and whether a cast to one is harmless. An enum runs no user-defined code; a row runs what
 * the types of its columns run, a domain its checks, a base type its input function.
 */
export const types = (which: Which, own: readonly number[]): string => `
  SELECT t.oid, n.nspname AS schema, t.typname AS name,
         (NOT ${isAmong('t.oid', own)}
            AND coalesce((n.nspname IN ('pg_catalog', 'information_schema') AND t.oid < 16384)
                  OR t.typtype = 'e'
                  OR (t.typtype = 'c'
                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                        JOIN pg_catalog.pg_type own ON own.oid = a.atttypid
                                       WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                                         AND own.oid >= 16384 AND own.typtype <> 'e'))
                  OR (t.typcategory = 'A'
                      AND EXISTS (SELECT FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typtype = 'e'))
                  OR (t.typtype = 'b' AND e.extname IN ${harmlessExtensions})
                  OR (t.typtype = 'd' AND bn.nspname = 'pg_catalog'
                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)), false))::text
           AS harmless
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
    ${ofExtension('pg_type', 't.oid')}
   WHERE (${which('t.oid')}) AND n.nspname !~ '^pg_(toast|temp)'`

/**
 * The types to read again when these have changed, along with these tables. A domain depends on its
 * checks, and the row type of a table on its columns, which are rows of other catalogues.
 */
export const typesOf =
  (oids: Iterable<number>, tables: Iterable<number>): Which =>
  (oid) =>
    `t.typtype = 'd' OR ${among(oids)(oid)} OR ${among(tables)('t.typrelid')}`

/** All OIDs in a catalogue. */
export const present = (catalogue: string): string => `
  SELECT oid FROM pg_catalog.${catalogue}`
