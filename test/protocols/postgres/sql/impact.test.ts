import { beforeAll, describe, expect, test } from 'vitest'
import { Unknown } from '../../../../src/core/action.ts'
import { Impacts } from '../../../../src/protocols/postgres/sql/impact.ts'
import type { Probe, SessionProbe } from '../../../../src/protocols/postgres/sql/statement.ts'
import { openShop } from './support.ts'

const shop = openShop()

beforeAll(async () => {
  await shop.database.exec(`
    INSERT INTO plain SELECT n, n % 10, 0 FROM generate_series(1, 1000) n;
    ANALYZE plain;`)
})

/** What the planner is asked through, as it answers over the wire: in texts. */
const probe: Probe & SessionProbe = {
  within: (work) => work(probe),
  query: async (sql, values) => {
    const { rows } = await shop.database.query<Record<string, unknown>>(sql, [...values])
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]),
      ),
    )
  },
}

async function rowsOf(text: string, values?: readonly (string | null)[] | null) {
  const analysis = await shop.read(text)
  const { searchPath } = shop.context
  const asked = {
    text,
    analysis,
    searchPath,
    exact: false,
    values: values === null ? undefined : (values ?? []),
  }
  const { rows } = await new Impacts(probe).of(asked)
  return rows instanceof Unknown ? rows.unknown : rows
}

describe('how many rows a statement would touch', () => {
  test.each([
    ['DELETE FROM plain', 1000],
    ['DELETE FROM plain WHERE a = 3', 100],
    ['UPDATE plain SET b = 1 WHERE a = 3 RETURNING id', 100],
    ['BEGIN; DELETE FROM plain', 1000],
    ['SELECT * FROM plain', 1000],
    ['SELECT * FROM plain LIMIT 7', 7],
    ['SELECT count(*) FROM plain', 1],
    ['WITH gone AS (DELETE FROM plain RETURNING id) SELECT count(*) FROM gone', 1000],
    ['INSERT INTO plain SELECT * FROM plain', 1000],
    ['INSERT INTO plain VALUES (1), (2)', 2],
    // Neither a small change nor a single value hides how much is returned.
    ['WITH one AS (DELETE FROM plain WHERE id = 1) SELECT * FROM plain', 1000],
    ['WITH a AS (DELETE FROM plain WHERE a = 1), b AS (DELETE FROM plain WHERE a = 2) SELECT', 200],
    ['SELECT json_agg(p) FROM plain p', 1000],
    ['SELECT string_agg(a::text, $$,$$) FROM plain WHERE a = 3', 100],
    ['SELECT ARRAY(SELECT id FROM plain)', 1000],
  ])('%s: %d', async (text, rows) => {
    expect(await rowsOf(text)).toBe(rows)
  })

  test('with its bind values', async () => {
    expect(await rowsOf('DELETE FROM plain WHERE a = $1', ['3'])).toBe(100)
  })

  test('and none is touched by asking', async () => {
    const { rows } = await shop.database.query('SELECT count(*)::int AS n FROM plain')
    expect(rows).toEqual([{ n: 1000 }])
  })

  test.each([
    ['a function that planning would call', 'SELECT looks_calm(1) FROM plain', /effect/],
    ['several statements', 'DELETE FROM plain; DELETE FROM plain', /several/],
    ['what has no plan', 'TRUNCATE plain', /no plan/],
    ['what cannot be read', 'DELETE FORM plain', /read/],
    ['what the server refuses', 'SELECT nothing FROM plain', /estimate/],
    ['a transaction that is not there', 'EXECUTE p', /no plan/],
  ])('of %s it is unknown', async (_, text, why) => {
    expect(await rowsOf(text)).toMatch(why)
  })

  test('with values that only the server reads it is unknown', async () => {
    expect(await rowsOf('DELETE FROM plain WHERE a = $1', null)).toMatch(/only the server/)
  })

  test('a failure leaves the connection usable', async () => {
    const impacts = new Impacts(probe)
    const { searchPath } = shop.context
    const ask = async (text: string) =>
      impacts.of({ text, analysis: await shop.read(text), searchPath, exact: false, values: [] })
    const all = await Promise.all([
      ask('SELECT nothing FROM plain'),
      ask('DELETE FROM plain'),
      ask('SELECT * FROM plain LIMIT 3'),
    ])
    expect(all.map(({ rows }) => (rows instanceof Unknown ? '?' : rows))).toEqual(['?', 1000, 3])
  })
})

describe('counted, by a run that is rolled back', () => {
  async function countedBy(text: string, values: readonly (string | null)[] = []) {
    const analysis = await shop.read(text)
    const { searchPath } = shop.context
    const { exact_rows: exact } = await new Impacts(probe).of({
      ...{ text, analysis, searchPath, values, exact: true },
    })
    return exact instanceof Unknown ? exact.unknown : exact
  }

  test.each([
    // The planner does not know how these hang together.
    ['DELETE FROM plain WHERE a = 3 AND id % 10 = 4', 0],
    ['UPDATE plain SET b = 1 WHERE a = 3 AND id % 10 = 3', 100],
    ['SELECT * FROM plain WHERE a = 3 AND id % 10 = 3', 100],
    ['WITH gone AS (DELETE FROM plain WHERE id <= 5 RETURNING id) SELECT count(*) FROM gone', 5],
    [
      'WITH one AS (DELETE FROM plain WHERE id = 1) SELECT array_agg(id) FROM plain WHERE a = 3',
      100,
    ],
  ])('%s: %d', async (text, rows) => {
    expect(await countedBy(text)).toBe(rows)
  })

  test('with its bind values', async () => {
    expect(await countedBy('DELETE FROM plain WHERE id < $1', ['7'])).toBe(6)
  })

  test.each([
    ['a trigger', 'UPDATE watched SET id = 1', /trigger/],
    ['a sequence', 'INSERT INTO orders DEFAULT VALUES', /sequence/],
    ['a sequence that a default draws from', 'UPDATE orders SET id = DEFAULT', /default/],
    ['a function that nobody knows', 'SELECT looks_calm(1) FROM plain', /effect/],
    ['a sequence that is named', `SELECT nextval('orders_id_seq')`, /effect|roll-back/],
  ])('is not run with %s', async (_, text, why) => {
    expect(await countedBy(text)).toMatch(why)
  })

  test('and nothing is touched by it', async () => {
    const { rows } = await shop.database.query(
      'SELECT count(*)::int AS n, sum(b)::int AS b FROM plain',
    )
    expect(rows).toEqual([{ n: 1000, b: 0 }])
  })
})
