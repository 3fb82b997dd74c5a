/**
 * What is read of the server's catalogue: PostgreSQL 13 and newer, readable by every role. Each query gives texts; lists are JSON. They run with
 * an empty search path, so that definitions come with every name qualified.
 */
export const emptyPath = `SELECT pg_catalog.set_config('search_path', '', false)`

/** Objects that come with the server, and others: OIDs from 16,384 are given out after the database was made (PostgreSQL documentation, "OID Assignment"). */
export type Origin = 'server' | 'database'

const from = (origin: Origin, oid: string): string =>
  `${oid} ${origin === 'server' ? '<' : '>='} 16384`

/** Each version of a row has its own place, and the transaction that wrote it. */
const versions = (catalogue: string, oid: string): string => `
  (SELECT count(*) || ' ' || coalesce(sum(hashtextextended(xmin::text || ctid::text, 0)), 0)
     FROM pg_catalog.${catalogue} WHERE ${from('server', oid)})`

/** One text that says whether everything that comes with the server is as it was. */
export const fingerprint = `
  SELECT concat_ws(' ', ${[
    versions('pg_class', 'oid'),
    versions('pg_attribute', 'attrelid'),
    versions('pg_trigger', 'tgrelid'),
    versions('pg_rewrite', 'ev_class'),
    versions('pg_policy', 'polrelid'),
    versions('pg_namespace', 'oid'),
    versions('pg_proc', 'oid'),
    versions('pg_operator', 'oid'),
    versions('pg_type', 'oid'),
  ].join(',')}) AS fingerprint`

export const schemas = `
  SELECT nspname AS name
    FROM pg_catalog.pg_namespace
   WHERE nspname !~ '^pg_(toast|temp)'`

export const relations = (origin: Origin): string => `
  SELECT n.nspname AS schema,
         c.relname AS name,
         c.relkind AS kind,
         coalesce((SELECT json_agg(a.attname ORDER BY a.attnum)
                     FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')::text AS columns,
         CASE WHEN c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
              THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
         EXISTS (SELECT FROM pg_catalog.pg_trigger t
                  WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)::text AS triggers,
         EXISTS (SELECT FROM pg_catalog.pg_rewrite r
                  WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')::text AS rules,
         EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                  WHERE a.attrelid = c.oid AND a.attnum > 0
                    AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '\\('))::text
           AS volatile_defaults,
         CASE WHEN c.relrowsecurity THEN
              (SELECT json_agg(expression)
                 FROM pg_catalog.pg_policy p,
                      unnest(ARRAY[pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                                   pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)]) AS expression
                WHERE p.polrelid = c.oid AND expression IS NOT NULL)::text END AS policies
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     AND ${from(origin, 'c.oid')}
     AND n.nspname !~ '^pg_(toast|temp)'`

/** Inheritance and partitions: each pair, direct ones only. */
export const inheritance = `
  SELECT cn.nspname AS child_schema, c.relname AS child, pn.nspname AS parent_schema, p.relname AS parent
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
   WHERE p.relkind IN ('r', 'p', 'f')`

/** Foreign keys that change rows of their own table when the row that they point at goes. */
export const cascades = `
  SELECT fn.nspname AS schema, f.relname AS name, n.nspname AS to_schema, c.relname AS to_name
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
    JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE k.contype = 'f'
     AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))`

/** Members of these extensions have no effect, those that call themselves volatile aside. */
const harmlessExtensions = `('btree_gin', 'btree_gist', 'citext', 'cube', 'earthdistance', 'fuzzystrmatch', 'hstore',
   'intarray', 'isn', 'ltree', 'pg_trgm', 'postgis', 'seg', 'unaccent', 'vector')`

/** Of these, not even the volatile ones: they make random numbers. */
const randomExtensions = `('pgcrypto', 'uuid-ossp')`

const ofExtension = (catalogue: string, oid: string): string => `
    LEFT JOIN pg_catalog.pg_depend x
      ON x.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND x.objid = ${oid} AND x.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e
      ON x.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.oid = x.refobjid`

export const routines = (origin: Origin): string => `
  SELECT n.nspname AS schema, p.proname AS name,
         coalesce(bool_and((e.extname IN ${harmlessExtensions} AND p.provolatile <> 'v')
                           OR e.extname IN ${randomExtensions}), false)::text AS harmless
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    ${ofExtension('pg_proc', 'p.oid')}
   WHERE ${from(origin, 'p.oid')}
   GROUP BY 1, 2`

export const operators = (origin: Origin): string => `
  SELECT n.nspname AS schema, o.oprname AS name,
         coalesce(bool_and(e.extname IN ${harmlessExtensions} AND p.provolatile <> 'v'), false)::text AS harmless
    FROM pg_catalog.pg_operator o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    LEFT JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
    ${ofExtension('pg_operator', 'o.oid')}
   WHERE n.nspname <> 'pg_catalog' AND ${from(origin, 'o.oid')}
   GROUP BY 1, 2`

/** Enums and rows run no code of anybody's; a domain runs its checks, and a base type its input function. */
export const types = (origin: Origin): string => `
  SELECT n.nspname AS schema, t.typname AS name,
         coalesce(n.nspname IN ('pg_catalog', 'information_schema')
                  OR t.typtype IN ('e', 'c')
                  OR (t.typtype = 'b' AND e.extname IN ${harmlessExtensions})
                  OR (t.typtype = 'd' AND bn.nspname = 'pg_catalog'
                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)), false)::text
           AS harmless
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
    ${ofExtension('pg_type', 't.oid')}
   WHERE ${from(origin, 't.oid')} AND n.nspname !~ '^pg_(toast|temp)'`
