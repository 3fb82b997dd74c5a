import { describe, expect, test } from 'vitest'
import { CatalogueReader } from '../../../../src/protocols/postgres/sql/read-catalogue.ts'
import { openShop, sessionOf, words } from './support.ts'

const shop = openShop()

/** `?` where a rule that allows something for some tables covers it in no case, or where every rule that holds or denies something for a table is set off. */
async function says(text: string) {
  const { sql } = await shop.read(text)
  return { verb: words(sql.verb), tables: words(sql.tables), reached: words(sql.reached) }
}

describe('a definition is about the tables that it names', () => {
  test.each([
    ['CREATE TABLE t (id int REFERENCES plain)', 'create', 'plain t', 'plain t'],
    ['CREATE TEMP TABLE t (id int)', 'create', 'pg_temp.t', 'pg_temp.t'],
    ['CREATE TEMP VIEW v AS SELECT id FROM plain', 'create select', 'pg_temp.v plain', '='],
    ['ALTER TABLE customers OWNER TO bob', 'alter alter owner', 'customers', '='],
    ['ALTER TABLE customers DISABLE TRIGGER ALL', 'alter alter trigger', 'customers', '='],
    ['ALTER TABLE customers FORCE ROW LEVEL SECURITY', 'alter alter policy', 'customers', '='],
    ['ALTER TABLE ruled DISABLE RULE r', 'alter alter rule', 'ruled', '='],
    ['ALTER TABLE customers DROP email', 'alter', 'customers', '='],
    ['ALTER TABLE customers DROP email CASCADE', 'alter', 'customers', '?'],
    ['DROP TABLE plain CASCADE', 'drop', 'plain', '?'],
    ['COMMENT ON TABLE crm.people IS NULL', 'comment', 'crm.people', '='],
    ['COMMENT ON COLUMN customers.email IS NULL', 'comment', 'customers', '='],
    ['COMMENT ON TRIGGER t ON watched IS NULL', 'comment', 'watched', '='],
    ["SECURITY LABEL ON COLUMN customers.ssn IS 'x'", 'security label', 'customers', '='],
    ['GRANT SELECT (email) ON customers TO bob', 'grant', 'customers', '='],
    ['VACUUM (FULL) customers (email)', 'vacuum', 'customers', '='],
    ['REFRESH MATERIALIZED VIEW totals', 'refresh', 'orders totals', '='],
    ['REFRESH MATERIALIZED VIEW totals WITH NO DATA', 'refresh', 'totals', '='],
  ])('%s', async (text, verb, tables, reached) => {
    expect(await says(text)).toEqual({ verb, tables, reached: reached === '=' ? tables : reached })
  })
})

describe('class 20: what is about no table is not about those that a rule allows', () => {
  test.each([
    ['DROP SCHEMA crm', 'drop', ''],
    ['DROP SCHEMA crm CASCADE', 'drop', '?'],
    ['DROP TYPE mood', 'drop', ''],
    ['DROP FUNCTION spend(int)', 'drop drop function', ''],
    ['DROP AGGREGATE a(int)', 'drop drop function', ''],
    ['DROP CAST (text AS int)', 'drop drop function', ''],
    ['DROP OPERATOR + (int, int)', 'drop drop operator', ''],
    ['DROP LANGUAGE plpgsql', 'drop drop language', ''],
    ['DROP EXTENSION hstore', 'drop drop extension', '?'],
    ['DROP SERVER s', 'drop drop server', ''],
    ['DROP PUBLICATION p', 'drop drop publication', ''],
    ['DROP EVENT TRIGGER e', 'drop drop trigger', ''],
    ['DROP OWNED BY bob', 'drop owned', '?'],
    ['REASSIGN OWNED BY bob TO eve', 'alter owner', '?'],
    ['ALTER ROLE bob RENAME TO eve', 'alter alter role', ''],
    ['ALTER DATABASE shop RENAME TO x', 'alter alter database', ''],
    ['ALTER FUNCTION spend(int) SET SCHEMA crm', 'alter alter function', ''],
    ['ALTER SCHEMA crm RENAME TO x', 'alter', '?'],
    ['ALTER EXTENSION hstore SET SCHEMA crm', 'alter alter extension', '?'],
    ['CREATE SCHEMA x', 'create', ''],
    ["CREATE TYPE t AS ENUM ('a')", 'create', ''],
    ['GRANT admins TO bob', 'grant', ''],
    ['GRANT USAGE ON SCHEMA crm TO bob', 'grant', ''],
    ['GRANT ALL ON ALL TABLES IN SCHEMA public TO bob', 'grant', '?'],
    ['REVOKE ALL ON DATABASE shop FROM bob', 'revoke', ''],
    ['COMMENT ON FUNCTION spend(int) IS NULL', 'comment', ''],
    ['VACUUM', 'vacuum', '?'],
    ['ANALYZE', 'analyze', '?'],
    ['CLUSTER', 'cluster', '?'],
    ['REINDEX SCHEMA public', 'reindex', '?'],
    ['IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public', 'create server', '?'],
    ['CREATE TABLE t (id int); DROP SCHEMA crm', 'create drop', 't'],
  ])('%s', async (text, verb, reached) => {
    expect(await says(text)).toEqual({ verb, tables: '?', reached })
  })
})

describe('class 20: what is done to an index is done to its table', () => {
  test.each([
    ['DROP INDEX customers_pkey', 'drop', ''],
    ['REINDEX INDEX customers_pkey', 'reindex', ''],
    ["COMMENT ON INDEX customers_pkey IS 'x'", 'comment', ''],
    ['ALTER INDEX customers_pkey SET (fillfactor = 50)', 'alter', ''],
    ['ALTER INDEX customers_pkey RENAME TO x', 'alter', 'x'],
    // As good as ALTER INDEX (PostgreSQL, ALTER TABLE).
    ['ALTER TABLE customers_pkey SET (fillfactor = 50)', 'alter', ''],
    ['ALTER TABLE public.customers_pkey RENAME TO x', 'alter', 'x'],
    ['ALTER VIEW customers_pkey RENAME TO x', 'alter', 'x'],
  ])('%s', async (text, verb, besides) => {
    const tables = `customers customers_pkey ${besides}`.trim()
    expect(await says(text)).toEqual({ verb, tables, reached: tables })
  })

  test('of each table whose index may be meant, and of their partitions', async () => {
    await shop.database.exec(
      'CREATE INDEX alike ON events (id); CREATE INDEX alike ON crm.people (id)',
    )
    const catalogue = await new CatalogueReader(sessionOf(shop.probe)).read()
    const context = { catalogue, searchPath: ['public', 'crm'] }
    const { sql } = await shop.read('ALTER TABLE alike RENAME TO other', context)
    expect(words(sql.reached)).toMatch(/\bevents events_2024\b/)
    expect(words(sql.reached)).toContain('crm.people')
    await shop.database.exec('ALTER INDEX crm.alike RENAME TO x; DROP INDEX alike')
  })

  test('an index that nobody knows yet may be of any table', async () => {
    expect(await says('DROP INDEX made_just_now')).toMatchObject({ reached: '?' })
  })
})

describe('class 20: what stands within a definition counts by itself', () => {
  test('the statements of CREATE SCHEMA', async () => {
    const trigger = 'CREATE TRIGGER t AFTER INSERT ON plain EXECUTE FUNCTION tell()'
    const text = `CREATE SCHEMA x ${trigger} GRANT SELECT ON customers TO public`
    expect(await says(text)).toEqual({
      verb: 'create create trigger grant',
      tables: '?',
      reached: '?',
    })
  })

  test('the query of a materialized view that is filled again', async () => {
    await shop.database.exec('CREATE MATERIALIZED VIEW spent AS SELECT spend(id) FROM plain')
    const text = 'REFRESH MATERIALIZED VIEW spent'
    const catalogue = await new CatalogueReader(sessionOf(shop.probe)).read()
    const { effect, sql } = await shop.read(text, { catalogue })
    expect({ effect, unproven: words(sql.unproven) }).toEqual({
      effect: 'unknown',
      unproven: 'spend',
    })
  })

  test('the checks of the type that a column gets', async () => {
    const { effect } = await shop.read('ALTER TABLE plain ALTER a TYPE checked')
    expect(effect).toBe('unknown')
    expect((await shop.read('ALTER TABLE plain ADD n bigserial')).effect).toBe('admin')
  })

  test('who may use a schema has its names', async () => {
    const text = 'REVOKE USAGE ON SCHEMA crm FROM agents; SELECT * FROM plain'
    expect((await shop.read(text)).effect).toBe('unknown')
  })
})

describe('class 20: code that no word of a statement calls', () => {
  const cast = `
    CREATE FUNCTION shown(mood) RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM plain; RETURN 1; END';
    CREATE CAST (mood AS int) WITH FUNCTION shown(mood) AS IMPLICIT`
  const row = 'CREATE TYPE pair AS (a checked)'
  const implicit = `
    CREATE FUNCTION shown(int) RETURNS text LANGUAGE plpgsql AS 'BEGIN DELETE FROM plain; RETURN 1; END';
    CREATE CAST (int AS text) WITH FUNCTION shown(int) AS IMPLICIT`
  const order = `
    CREATE TYPE pair AS (a int); CREATE TABLE pairs (p pair);
    CREATE FUNCTION compared(pair, pair) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN DELETE FROM plain; RETURN 0; END';
    CREATE OPERATOR CLASS pairs DEFAULT FOR TYPE pair USING btree AS FUNCTION 1 compared(pair, pair)`

  test.each([
    ['a cast of somebody', cast, 'SELECT mood + 1 FROM customers'],
    ['the same by a view', cast, 'SELECT count(*) FROM glad_customers'],
    ['the same of a constant', cast, "SELECT 'glad'::mood + 1"],
    [
      'the same of an array',
      `${cast}; CREATE TABLE moods (all_of_them mood[])`,
      'SELECT all_of_them[1] + 1 FROM moods',
    ],
    [
      'the same of a domain',
      `${cast}; CREATE DOMAIN feeling AS mood; CREATE TABLE felt (m feeling)`,
      'SELECT m + 1 FROM felt',
    ],
    ['the same of a row', `${cast}; CREATE TYPE felt AS (m mood)`, "SELECT ('(glad)'::felt).m + 1"],
    ['the same from a type of the server', implicit, 'SELECT upper(id) FROM plain'],
    ['an order of somebody', order, 'SELECT DISTINCT p FROM pairs'],
    ['the checks of a column, in a row', row, "SELECT '(1)'::pair"],
    [
      'the same of a table',
      'CREATE TABLE t (a checked)',
      "SELECT json_populate_record(NULL::t, '{}')",
    ],
  ])('%s', async (_what, definitions, text) => {
    expect((await shop.readAfter(definitions, text)).effect).toBe('unknown')
  })

  test('rows and enums without any of it are read as they were', async () => {
    const text = "SELECT '(1,glad)'::pair"
    const { effect } = await shop.readAfter('CREATE TYPE pair AS (a int, m mood)', text)
    expect(effect).toBe('read')
  })
})
