import { describe, expect, test } from 'vitest'
import { openShop, words } from './support.ts'

const shop = openShop()

/** What the gateway says about a statement: verb, effect, tables and columns, as words. */
async function says(text: string): Promise<Record<string, string>> {
  const { effect, sql } = await shop.read(text)
  const entries = Object.entries(sql).map(([name, value]) => [name, words(value)] as const)
  return { effect, ...Object.fromEntries(entries) }
}

describe('reading', () => {
  test.each([
    ['SELECT id, email FROM customers', 'customers', 'customers.email customers.id'],
    ['SELECT * FROM plain', 'plain', 'plain.a plain.b plain.id'],
    ['SELECT p.* FROM plain p, orders', 'orders plain', 'plain.a plain.b plain.id'],
    ['SELECT p FROM plain p', 'plain', 'plain.a plain.b plain.id'],
    ['SELECT (p).a FROM plain p', 'plain', 'plain.a'],
    ['SELECT count(*) FROM customers', 'customers', ''],
    ['SELECT 1 FROM customers WHERE ssn = $1', 'customers', 'customers.ssn'],
    ['SELECT 1 FROM customers ORDER BY ssn', 'customers', 'customers.ssn'],
    ['SELECT max(total) FROM orders GROUP BY status', 'orders', 'orders.status orders.total'],
    [
      'SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id',
      'customers orders',
      'customers.id customers.name orders.customer_id',
    ],
    ['SELECT 1 FROM customers JOIN plain USING (id)', 'customers plain', 'customers.id plain.id'],
    ['SELECT 1 FROM customers NATURAL JOIN plain', 'customers plain', 'customers.id plain.id'],
    [
      'SELECT id, (SELECT email FROM customers WHERE id = o.customer_id) FROM orders o',
      'customers orders',
      'customers.email customers.id orders.customer_id orders.id',
    ],
    ['WITH c AS (SELECT email FROM customers) SELECT email FROM c', 'customers', 'customers.email'],
    ['SELECT x.e FROM (SELECT email FROM customers) x(e)', 'customers', 'customers.email'],
    ['SELECT e FROM customers AS c(i, n, e)', 'customers', 'customers.email'],
    [
      'SELECT email FROM customers UNION SELECT address FROM glad_customers',
      'customers glad_customers',
      'customers.email customers.mood glad_customers.address',
    ],
    ['SELECT email FROM crm.people', 'crm.people', 'crm.people.email'],
    ['SELECT "a.b" FROM "Odd.Name"', '"Odd.Name"', '"Odd.Name"."a.b"'],
    ['TABLE plain', 'plain', 'plain.a plain.b plain.id'],
    ['SELECT l.id FROM plain p, LATERAL (SELECT p.a AS id) l', 'plain', 'plain.a'],
    ['SELECT body->>$1, tags[1] FROM notes', 'notes', 'notes.body notes.tags'],
    ['SELECT ctid, tableoid FROM plain', 'plain', ''],
    ['SELECT total FROM totals', 'totals', 'orders.total totals.total'],
    ['COPY customers (id, email) TO STDOUT', 'customers', 'customers.email customers.id'],
    ['COPY (SELECT email FROM customers) TO STDOUT', 'customers', 'customers.email'],
    ['EXPLAIN DELETE FROM plain WHERE a = 1', 'plain', 'plain.a'],
    ['VALUES (1), (2)', '', ''],
    ['SELECT 1', '', ''],
  ])('%s', async (text, tables, columns) => {
    const { effect, tables_read, tables_written, columns: found } = await says(text)
    expect({ effect, tables_read, tables_written, found }).toEqual({
      effect: 'read',
      tables_read: tables,
      tables_written: '',
      found: columns,
    })
  })

  test('a view counts with what it reads; of its columns, with those that are named', async () => {
    expect(await says('SELECT id FROM glad_customers')).toMatchObject({
      tables: 'customers glad_customers',
      named: 'glad_customers',
      columns: 'customers.id customers.mood glad_customers.id',
    })
    expect(await says('SELECT n FROM two_steps')).toMatchObject({
      tables: 'customers glad_customers two_steps',
      columns: 'customers.email customers.mood glad_customers.address two_steps.n',
    })
  })

  test('partitions and cascades are reached, and not named', async () => {
    expect(await says('SELECT id FROM events')).toMatchObject({
      tables: 'events',
      reached: 'events events_2024',
    })
    expect(await says('SELECT id FROM events_2024')).toMatchObject({
      tables: 'events_2024',
      reached: 'events events_2024',
      // By the names of its parents, too: whoever guards those does not list every partition.
      columns: 'events.id events_2024.id',
    })
    expect(await says('UPDATE events_2024 SET at = NULL')).toMatchObject({
      columns: 'events.at events_2024.at',
    })
    expect(await says('DELETE FROM customers WHERE id = 1')).toMatchObject({
      tables: 'customers',
      reached: 'customers orders',
    })
  })
})

describe('writing', () => {
  test.each([
    ['INSERT INTO plain (id, a) VALUES (1, 2)', 'insert', 'plain', '', 'plain.a plain.id'],
    ['INSERT INTO plain VALUES (1)', 'insert', 'plain', '', 'plain.a plain.b plain.id'],
    [
      'INSERT INTO plain (id) SELECT id FROM customers',
      'insert select',
      'plain',
      'customers',
      'customers.id plain.id',
    ],
    [
      'INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = excluded.name',
      'insert update',
      'customers',
      '',
      'customers.email customers.id customers.name',
    ],
    ['UPDATE plain SET a = 1 WHERE b = 2', 'update', 'plain', '', 'plain.a plain.b'],
    [
      'UPDATE orders o SET status = c.name FROM customers c WHERE c.id = o.customer_id',
      'update',
      'orders',
      'customers',
      'customers.id customers.name orders.customer_id orders.status',
    ],
    ['DELETE FROM plain WHERE id = 1 RETURNING a', 'delete', 'plain', '', 'plain.a plain.id'],
    [
      'DELETE FROM plain USING orders o WHERE o.id = plain.id',
      'delete',
      'plain',
      'orders',
      'orders.id plain.id',
    ],
    [
      'WITH gone AS (DELETE FROM plain RETURNING id) SELECT id FROM gone',
      'delete select',
      'plain',
      '',
      'plain.id',
    ],
    [
      'MERGE INTO plain p USING orders o ON p.id = o.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (o.id)',
      'delete insert merge',
      'plain',
      'orders',
      'orders.id plain.id',
    ],
    ['TRUNCATE plain', 'truncate', 'plain', '', 'plain.a plain.b plain.id'],
    ['COPY plain (a) FROM STDIN', 'copy insert', 'plain', '', 'plain.a'],
    ['SELECT a FROM plain FOR UPDATE', 'lock select', '', 'plain', 'plain.a'],
    ['LOCK TABLE plain', 'lock', '', 'plain', ''],
    ['EXPLAIN ANALYZE DELETE FROM plain', 'delete explain', 'plain', '', ''],
    ['UPDATE glad_customers SET address = $1', 'update', 'customers glad_customers', '', '*'],
    ["NOTIFY shout, 'x'", 'notify', '', '', ''],
    ["SELECT nextval('orders_id_seq')", 'select sequence', '', '', ''],
    [
      'CREATE TEMP TABLE t AS SELECT id FROM plain',
      'create select',
      'pg_temp.t',
      'plain',
      'plain.id',
    ],
  ])('%s', async (text, verb, written, read, columns) => {
    const found = await says(text)
    const { effect, tables_written, tables_read } = found
    expect({ verb: found['verb'], effect, tables_written, tables_read }).toEqual({
      verb,
      effect: 'write',
      tables_written: written,
      tables_read: read,
    })
    if (columns !== '*') expect(found['columns']).toBe(columns)
  })
})

describe('what changes the database, or who may do what', () => {
  test.each([
    ['CREATE TABLE t (id int)', 'create', 't'],
    ['CREATE VIEW v AS SELECT email FROM customers', 'create select', 'v'],
    ['ALTER TABLE plain ADD COLUMN c int', 'alter', 'plain'],
    ['DROP TABLE plain, crm.people', 'drop', 'crm.people plain'],
    ['CREATE INDEX ON plain (a)', 'create', 'plain'],
    ['GRANT SELECT ON plain TO public', 'grant', 'plain'],
    ['REVOKE SELECT ON plain FROM public', 'revoke', 'plain'],
    ['CREATE ROLE r', 'create role', ''],
    ['ALTER ROLE r SUPERUSER', 'alter role', ''],
    ['ALTER SYSTEM SET work_mem = 1', 'alter system', ''],
    ['CREATE EXTENSION hstore', 'create extension', ''],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", 'create function', ''],
    ['ALTER TABLE plain DISABLE ROW LEVEL SECURITY', 'alter alter policy', 'plain'],
    ['DROP POLICY p ON guarded', 'drop drop policy', 'guarded'],
    ['VACUUM plain', 'vacuum', 'plain'],
    ['ANALYZE plain', 'analyze', 'plain'],
    ['SET ROLE postgres', 'set set role', ''],
    ['SET search_path = crm', 'set set search_path', ''],
    ["SET app.tenant = '2'", 'set set app.tenant', ''],
    ['COMMIT PREPARED $$x$$', '', ''],
    ["COMMIT PREPARED 'x'", 'commit prepared', ''],
    ["SELECT set_config('role', 'postgres', false)", 'select set set role', ''],
    ["SELECT pg_read_file('/etc/passwd')", 'file select', ''],
    ['SELECT pg_terminate_backend(1)', 'select server', ''],
  ])('%s', async (text, verb, written) => {
    const found = await says(text)
    if (verb === '') return expect(['admin', 'unknown']).toContain(found['effect'])
    expect({
      verb: found['verb'],
      effect: found['effect'],
      written: found['tables_written'],
    }).toEqual({
      verb,
      effect: 'admin',
      written,
    })
  })
})

describe('what a session sends by itself is told apart from what it does', () => {
  test.each([
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
    'SAVEPOINT a',
    'RELEASE a',
    'ROLLBACK TO a',
    "SET application_name = 'x'",
    'SET extra_float_digits = 3',
    "SET client_encoding TO 'UTF8'",
    'SET standard_conforming_strings = on',
    'RESET ALL',
    'DISCARD ALL',
    'DEALLOCATE ALL',
    'CLOSE ALL',
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
    "SET TIME ZONE 'UTC'",
    'UNLISTEN *',
  ])('%s', async (text) => {
    const { statements, effect } = await shop.read(text)
    expect({ effect, control: statements.map(({ control }) => control) }).toEqual({
      effect: 'read',
      control: [true],
    })
  })

  test('and does not become a verb that rules have to list', async () => {
    expect(await says('BEGIN; SELECT 1; COMMIT')).toMatchObject({ verb: 'select', statements: '3' })
  })
})

describe('has_where, limit, shape', () => {
  test.each([
    ['DELETE FROM plain', 'false'],
    ['DELETE FROM plain WHERE id = 1', 'true'],
    ['DELETE FROM plain WHERE true', 'false'],
    ['DELETE FROM plain WHERE 1 = 1', 'false'],
    ['DELETE FROM plain WHERE id = id', 'false'],
    ['DELETE FROM plain WHERE id = 1 OR true', 'false'],
    ['DELETE FROM plain WHERE id = 1 AND true', 'true'],
    ['SELECT * FROM plain WHERE id = ANY($1)', 'true'],
    ['SELECT * FROM (SELECT * FROM plain WHERE id = 1) p', 'true'],
    ['SELECT * FROM (SELECT * FROM plain) p WHERE id = 1', 'false'],
    ['WITH p AS (SELECT * FROM plain) SELECT * FROM p WHERE id = 1', 'false'],
    ['SELECT 1', 'true'],
    ['COPY plain TO STDOUT', 'false'],
    ['TRUNCATE plain', 'false'],
    ['SELECT * FROM plain WHERE id = 1; DELETE FROM plain', 'false'],
  ])('%s', async (text, expected) => {
    expect((await says(text))['has_where']).toBe(expected)
  })

  test.each([
    ['SELECT * FROM plain LIMIT 10', '10'],
    ['SELECT * FROM plain FETCH FIRST 3 ROWS ONLY', '3'],
    ['SELECT * FROM plain ORDER BY a FETCH FIRST 3 ROWS WITH TIES', 'null'],
    ['SELECT * FROM plain LIMIT $1', 'null'],
    ['SELECT * FROM plain LIMIT ALL', 'null'],
    ['SELECT * FROM (SELECT * FROM plain LIMIT 3) p', 'null'],
  ])('%s', async (text, expected) => {
    expect((await says(text))['limit']).toBe(expected)
  })

  test('the shape is the same where constants alone differ', async () => {
    const shape = async (text: string, path = ['public']) =>
      (await shop.read(text, { searchPath: path })).sql.shape
    expect(await shape('SELECT a FROM plain WHERE id = 1')).toBe(
      await shape('select a  from plain where id=2'),
    )
    expect(await shape('SELECT a FROM plain WHERE id = 1')).not.toBe(
      await shape('SELECT b FROM plain WHERE id = 1'),
    )
    expect(await shape('SELECT email FROM people', ['crm'])).not.toBe(
      await shape('SELECT email FROM customers'),
    )
    expect(await shape("SET ROLE 'a'")).not.toBe(await shape("SET ROLE 'b'"))
    expect(await shape('SELECT spend(1)')).not.toBe(await shape('SELECT spend(2)'))
  })
})

test('what is created gets its name by the path, also as the server itself prints that', async () => {
  const searchPath = ['pg_temp', 'pg_catalog', 'gone', 'crm', 'public']
  const { sql } = await shop.read('CREATE TABLE t (id int)', { searchPath })
  expect(words(sql.tables_written)).toBe('crm.t')
})

test('where each statement stands in the text, in bytes', async () => {
  const text = "SELECT 'é';; DELETE FROM plain /* … */; COMMIT"
  const { statements } = await shop.read(text)
  const bytes = Buffer.from(text)
  expect(statements.map(({ start, end }) => bytes.subarray(start, end).toString().trim())).toEqual([
    "SELECT 'é'",
    'DELETE FROM plain /* … */',
    'COMMIT',
  ])
  expect(statements.map(({ command }) => command)).toEqual(['SELECT', 'DELETE', 'COMMIT'])
})
