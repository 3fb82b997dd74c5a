import { describe, expect, test } from 'vitest'
import { Unknown } from '../../../../src/core/action.ts'
import { CatalogueSnapshot } from '../../../../src/protocols/postgres/sql/catalogue-snapshot.ts'
import type { Statement } from '../../../../src/protocols/postgres/sql/statement.ts'
import { callsEverywhere } from './calls-everywhere.ts'
import { openShop, words } from './support.ts'

/** Attack class 20: effects, tables and code that no word of a statement shows. */

const shop = openShop()

describe('code that runs by another name', () => {
  const spending = 'CHECK (spend(VALUE) > 0)'

  test.each([
    [
      'a type by the name of a function, in the form of a call',
      `CREATE DOMAIN lower AS int ${spending}`,
      "SELECT lower('1')",
    ],
    [
      'an operator that BETWEEN stands for',
      'CREATE OPERATOR public.< (LEFTARG = point, RIGHTARG = point, FUNCTION = point_eq)',
      'SELECT a NOT BETWEEN 1 AND 2 FROM plain',
    ],
    [
      'the checks of a column, by a row that is given',
      `CREATE DOMAIN spent AS int ${spending}; CREATE TABLE t (a spent)`,
      "SELECT json_populate_record(t, '{}') FROM t",
    ],
    [
      'what an older server calls for syntax of a newer one',
      'CREATE FUNCTION "json_arrayagg"(int) RETURNS int LANGUAGE sql AS $$SELECT spend($1)$$',
      'SELECT json_arrayagg(id) FROM plain',
    ],
    [
      'a foreign table behind a partition',
      `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
       CREATE FOREIGN TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') SERVER s`,
      'SELECT id FROM events',
    ],
  ])('%s', async (_what, definitions, text) => {
    expect((await shop.readAfter(definitions, text)).effect).toBe('unknown')
  })

  test('a function, an operator, a type and a view that somebody has put beside those of the server', async () => {
    const definitions = `
      SET LOCAL allow_system_table_mods = on;
      CREATE FUNCTION pg_catalog.lower(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
      CREATE OPERATOR pg_catalog.+ (LEFTARG = polygon, RIGHTARG = polygon, FUNCTION = poly_same);
      CREATE DOMAIN pg_catalog.checked_too AS int ${spending};
      CREATE VIEW information_schema.theirs AS SELECT ssn FROM customers`
    const effects = []
    for (const text of ['SELECT lower(1)', 'SELECT 1 + 1', "SELECT '1'::pg_catalog.checked_too"])
      effects.push((await shop.readAfter(definitions, text)).effect)
    expect(effects).toEqual(['unknown', 'unknown', 'unknown'])
    const { sql } = await shop.readAfter(definitions, 'SELECT ssn FROM information_schema.theirs')
    expect(words(sql.columns)).toContain('customers.ssn')
    // Nobody has touched these.
    expect((await shop.readAfter(definitions, "SELECT upper('a'), 2 - 1, '1'::int")).effect).toBe(
      'read',
    )
  })

  test('the type that a client gives a parameter', async () => {
    const oidOf = async (name: string) => {
      const { rows } = await shop.database.query<{ oid: number }>(
        `SELECT oid::int FROM pg_type WHERE typname = '${name}'`,
      )
      return rows[0]!.oid
    }
    const effect = async (oid: number) =>
      (await shop.read('SELECT $1', { parameters: [oid] })).effect
    expect(await effect(23)).toBe('read')
    expect(await effect(await oidOf('mood'))).toBe('read')
    expect(await effect(await oidOf('_mood'))).toBe('read')
    expect(await effect(await oidOf('checked'))).toBe('unknown')
    expect(await effect(999_999)).toBe('unknown')
    const harmless = new Set(['public.checked'])
    const declared = { parameters: [await oidOf('checked')], harmless }
    expect((await shop.read('SELECT $1', declared)).effect).toBe('read')
  })

  test('the type that PREPARE gives a parameter counts with EXECUTE', async () => {
    const { statements } = await shop.read('PREPARE p (checked) AS SELECT $1')
    const change = statements[0]!.session.find(({ kind }) => kind === 'prepare')
    if (change?.kind !== 'prepare') throw new Error('PREPARE announces a statement')
    const prepared = new Map<string, Statement>([['p', change.prepared]])
    expect((await shop.read("EXECUTE p ('1')", { prepared })).effect).toBe('unknown')
  })

  test('the functions behind an operator or a type are not known by their names', async () => {
    for (const text of ["SELECT '1'::checked", "SELECT 'a' OPERATOR(crm.+) 'b'"])
      expect((await shop.read(text)).sql.functions, text).toBeInstanceOf(Unknown)
  })

  test('what a view does besides selecting is a verb of the statement', async () => {
    const view = 'CREATE VIEW v AS SELECT nextval($$orders_id_seq$$) AS n FROM plain FOR SHARE'
    const { sql, effect } = await shop.readAfter(view, 'SELECT n FROM v')
    expect([effect, words(sql.verb)]).toEqual(['write', 'lock select sequence'])
    expect(words(sql.reached)).toContain('orders_id_seq')
  })
})

test('code is seen wherever in a statement it stands', async () => {
  for (const text of callsEverywhere) {
    const { effect, unreadable } = await shop.read(text)
    expect({ effect, unreadable }, text).toEqual({ effect: 'unknown', unreadable: null })
  }
})

describe('data that is not where its name says', () => {
  test('a column that is generated from another', async () => {
    const table = `CREATE TABLE t (id int, ssn text, tail text GENERATED ALWAYS AS (right(ssn, 4)) STORED);
                   CREATE TABLE child () INHERITS (t)`
    const columns = async (text: string) => words((await shop.readAfter(table, text)).sql.columns)
    expect(await columns('SELECT tail FROM t')).toBe('t.ssn t.tail')
    expect(await columns('SELECT id FROM t')).toBe('t.id')
    expect(await columns('SELECT tail FROM child')).toBe('child.ssn child.tail t.ssn t.tail')
  })

  test('a copy that a materialized view has of it', async () => {
    const { sql } = await shop.read('SELECT total FROM totals')
    expect([words(sql.tables), words(sql.reached)]).toEqual(['totals', 'orders totals'])
    expect(words(sql.columns)).toBe('orders.total totals.total')
  })

  test.each([
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers'",
    'SELECT stavalues1 FROM pg_statistic',
    'TABLE pg_stats_ext',
    'SELECT data FROM pg_largeobject',
  ])('values that the server keeps in tables of its own: %s', async (text) => {
    const { sql } = await shop.read(text)
    for (const list of [sql.tables, sql.reached, sql.columns]) expect(list).toBeInstanceOf(Unknown)
  })

  test.each([
    ["SELECT nextval('orders_id_seq')", 'orders_id_seq'],
    ['SELECT setval(\'Public."orders_id_seq"\'::regclass, 1)', 'orders_id_seq'],
    ["SELECT currval('ORDERS_ID_SEQ')", 'orders_id_seq'],
    ["SELECT nextval('no_such_sequence')", '?'],
    ["SELECT nextval('1' || '2')", '?'],
    ['SELECT nextval($1)', '?'],
  ])('the sequence that a text names: %s', async (text, reached) => {
    expect(words((await shop.read(text)).sql.reached)).toBe(reached)
  })

  test('the channel that a function notifies', async () => {
    expect(words((await shop.read("SELECT pg_notify('c', 'x')")).sql.channels)).toBe('c')
    expect(
      (await shop.read('SELECT pg_notify(email, $1) FROM customers')).sql.channels,
    ).toBeInstanceOf(Unknown)
  })
})

test('the triggers of partitions fire with a change of their parent', async () => {
  const trigger =
    'CREATE TRIGGER t AFTER UPDATE ON events_2024 FOR EACH ROW EXECUTE FUNCTION tell()'
  const { statements } = await shop.readAfter(trigger, 'UPDATE events SET id = 1 WHERE id = 2')
  expect(statements[0]!.undoable).toMatchObject({ because: expect.stringMatching(/trigger/) })
})

describe('a shape is the same where constants alone differ, and what they are about is not', () => {
  const shape = async (text: string, prepared?: string) => {
    const { statements } = prepared ? await shop.read(prepared) : { statements: [] }
    const changes = statements.flatMap(({ session }) => session)
    const known = changes.flatMap((one) =>
      one.kind === 'prepare' ? [[one.name, one.prepared] as const] : [],
    )
    return (await shop.read(text, { prepared: new Map(known) })).sql.shape
  }

  test('EXECUTE has that of what was prepared', async () => {
    const other = 'PREPARE p AS SELECT ssn FROM customers WHERE id = $1'
    const first = await shape(
      'EXECUTE p (1)',
      'PREPARE p AS SELECT id FROM customers WHERE id = $1',
    )
    expect(await shape('EXECUTE p (1)', other)).not.toBe(first)
    expect(await shape('EXECUTE p (2)', other)).toBe(await shape('EXECUTE p (1)', other))
  })

  test.each([
    ["SELECT setval('orders_id_seq', 1)", "SELECT setval('other_seq', 1)"],
    ["SELECT pg_notify('a', 'x')", "SELECT pg_notify('b', 'x')"],
    ["CREATE TABLESPACE t LOCATION '/a'", "CREATE TABLESPACE t LOCATION '/b'"],
  ])('%s', async (text, other) => {
    expect(await shape(other)).not.toBe(await shape(text))
  })
})

test('names with capital letters beyond ASCII, in a database that makes them small', async () => {
  const data = { ...shop.context.catalogue!.data, version: -1, encoding: 'LATIN1' }
  const context = { catalogue: new CatalogueSnapshot(data) }
  const trick = 'WITH "cafÉ" AS (SELECT 1) SELECT * FROM CAFÉ'
  expect((await shop.read(trick, context)).unreadable?.kind).toBe('text')
  expect((await shop.read(trick)).unreadable).toBe(null)
  const plain = "SELECT a AS café FROM plain WHERE 'É' = $1"
  expect((await shop.read(plain, context)).effect).toBe('read')
})

test('drivers ask the catalogue with functions that have no effect', async () => {
  const keys = `SELECT (information_schema._pg_expandarray(i.indkey)).n FROM pg_catalog.pg_index i`
  const others = "SELECT jsonb_exists(body, 'a'), hashtext('x'), array_cat(tags, tags) FROM notes"
  for (const text of [keys, others]) expect((await shop.read(text)).effect, text).toBe('read')
})
