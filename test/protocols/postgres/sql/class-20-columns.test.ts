import { beforeAll, describe, expect, test } from 'vitest'
import { CatalogueReader } from '../../../../src/protocols/postgres/sql/read-catalogue.ts'
import type { Catalogue } from '../../../../src/protocols/postgres/sql/statement.ts'
import { randomFrom } from '../../../support/random.ts'
import { namesakes, QueriesAtRandom } from './queries-at-random.ts'
import { dependenciesOf, openShop, sessionOf, words } from './support.ts'

/** Attack class 20: a column that a rule guards, read under another name. */

const shop = openShop()

describe('a name means what it means to the server', () => {
  test.each([
    ['a list of names that gives one twice', 'SELECT * FROM customers AS c(a, b, e, mood)'],
    [
      'the whole row of a join in which another column has the name',
      'SELECT j FROM (customers CROSS JOIN (SELECT 1 AS ssn) AS v) AS j',
    ],
    [
      'places in a join that shares a column',
      'SELECT g FROM (orders JOIN customers USING (id)) AS j(a, b, c, d, e, f, g)',
    ],
    [
      'an alias that the name of its join hides',
      'SELECT customers.ssn FROM (plain AS customers CROSS JOIN plain AS p) AS j, customers',
    ],
    [
      'a result within an expression of ORDER BY',
      "SELECT (SELECT 1 AS ssn ORDER BY ssn || '') FROM customers",
    ],
    [
      'a result in HAVING',
      "SELECT (SELECT count(*) AS ssn FROM (VALUES (1)) t(v) HAVING ssn = '1') FROM customers",
    ],
    [
      'a result in OFFSET',
      'SELECT (SELECT v AS ssn FROM (VALUES (1), (2)) t(v) OFFSET length(ssn)) FROM customers',
    ],
    [
      'a neighbour that is not seen without LATERAL',
      "SELECT (SELECT s.x FROM (VALUES ('1')) AS v(ssn), (SELECT ssn AS x) AS s) FROM customers",
    ],
    [
      'a neighbour that TABLESAMPLE does not see',
      'SELECT (SELECT count(*) FROM (VALUES (1)) v(ssn), plain TABLESAMPLE system (length(ssn))) FROM customers',
    ],
    [
      'a neighbour that ON does not see',
      "SELECT (SELECT count(*) FROM (VALUES ('1')) AS v(ssn), plain p JOIN plain q ON ssn = '1') FROM customers",
    ],
    [
      'a row by the name of a column further out',
      'SELECT (SELECT ssn FROM (VALUES (1)) AS ssn(v)) FROM customers',
    ],
    [
      'a function by the name of a column further out',
      'SELECT (SELECT ssn FROM generate_series(1, 1) AS ssn(a)) FROM customers',
    ],
    [
      'a record by the name of a column further out',
      "SELECT (SELECT ssn FROM json_to_record('{}') AS ssn(a int)) FROM customers",
    ],
    [
      'a system column that a view does not have',
      'SELECT (SELECT ctid FROM glad_customers LIMIT 1) FROM customers AS c(a, b, e, ctid)',
    ],
    [
      'a column that a join has once',
      `SELECT (SELECT ssn FROM (SELECT * FROM (VALUES (1)) AS a(id) JOIN (VALUES (1, '1')) AS b(id, ssn)
         USING (id)) AS x(c, d)) FROM customers`,
    ],
  ])('%s', async (_what, text) => {
    expect(await shop.database.query(text)).toMatchObject({ rows: expect.anything() })
    const { sql } = await shop.read(text)
    expect(words(sql.columns).split(' ')).toContain('customers.ssn')
  })

  test.each([
    ['the name of a cast', "SELECT (SELECT name FROM (SELECT 'x'::name::text) x) FROM customers"],
    [
      'the name of what is cast',
      "SELECT (SELECT name FROM (SELECT coalesce('x')::name) x) FROM customers",
    ],
  ])('%s', async (_what, text) => {
    expect(words((await shop.read(text)).sql.columns)).toBe('customers.name')
  })

  test.each([
    ['SELECT lower(name) AS n FROM customers GROUP BY n ORDER BY n', 'customers.name'],
    ['SELECT lower(name) AS n, id AS i FROM customers GROUP BY ROLLUP (i, n)', '*'],
    ['SELECT DISTINCT ON (n) lower(name) AS n FROM customers ORDER BY n DESC', 'customers.name'],
    ['SELECT id AS n FROM customers UNION SELECT a FROM plain ORDER BY n', '*'],
    ['SELECT n FROM generate_series(1, 3) AS n ORDER BY n', ''],
    ['SELECT s.n FROM unnest(ARRAY[1]) WITH ORDINALITY AS s(n, i) WHERE i = 1', ''],
  ])('and names of results, functions and records are no mystery: %s', async (text, columns) => {
    const found = words((await shop.read(text)).sql.columns)
    if (columns === '*') expect(found).not.toBe('?')
    else expect(found).toBe(columns)
  })
})

describe('queries at random', () => {
  const seed = Number(process.env['SALLYPORT_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))
  let catalogue: Catalogue
  beforeAll(async () => {
    await shop.database.exec(namesakes)
    catalogue = await new CatalogueReader(sessionOf(shop.probe)).read()
    await shop.database.exec('SET search_path = s')
  })

  test(`depend on no column that the gateway does not name (seed ${seed})`, async () => {
    const random = new QueriesAtRandom(randomFrom(seed))
    let compared = 0
    for (let i = 0; i < 250; i++) {
      const text = random.query(3)
      const dependencies = await dependenciesOf(shop.database, `SELECT count(*) FROM (${text}) z`)
      if (!dependencies) continue
      compared++
      const { sql } = await shop.read(text, { catalogue, searchPath: ['s'] })
      const columns = dependencies.flatMap(({ table, column }) => column && `${table}.${column}`)
      expect(sql.columns, text).toEqual(expect.arrayContaining(columns.filter(Boolean)))
    }
    expect(compared).toBeGreaterThan(10)
  })
})
