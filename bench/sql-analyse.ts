import { PGlite } from '@electric-sql/pglite'
import { createAnalyser } from '../src/protocols/postgres/sql/analyse.ts'
import { CatalogueReader } from '../src/protocols/postgres/sql/read-catalogue.ts'
import type { SqlContext } from '../src/protocols/postgres/sql/statement.ts'

/** What reading a statement costs, in microseconds: a text that has not been seen before, and one that has. Run with `node bench/sql-analyse.ts`. */

const database = await PGlite.create()
await database.exec(`
  CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int, total numeric, status text);`)
const query = async (sql: string) => (await database.query<Record<string, string | null>>(sql)).rows
const catalogue = await new CatalogueReader({ within: (work) => work({ query }) }).read()
await database.close()

const context: SqlContext = {
  searchPath: ['public'],
  role: 'agents',
  database: 'shop',
  catalogue,
  prepared: new Map(),
  cursors: new Map(),
  temporary: new Map(),
  unsettled: false,
  harmless: new Set(),
}

const medium = (i: number): string => `
  WITH recent AS (SELECT customer_id, sum(total) AS total FROM orders WHERE status = 'paid' AND id > ${i} GROUP BY 1)
  SELECT c.id, lower(c.name), coalesce(r.total, 0) FROM customers c LEFT JOIN recent r ON r.customer_id = c.id
   WHERE c.email LIKE '%@example.com' AND c.id IN (SELECT customer_id FROM orders WHERE total > 100)
   ORDER BY r.total DESC NULLS LAST LIMIT 50`
const row = (i: number): string => `(${i}, 'a name of some length', 'someone@example.com')`

const texts: Readonly<Record<string, (i: number) => string>> = {
  'short (32 bytes)': (i) => `SELECT 1 FROM orders WHERE id = ${i}`,
  'medium (0.5 KB)': medium,
  'long (10 KB of INSERT)': (i) =>
    `INSERT INTO customers VALUES ${Array.from({ length: 190 }, (_, j) => row(i + j)).join(', ')}`,
}

const analyser = await createAnalyser()
const rows: Record<string, Record<string, number>> = {}
for (const [name, make] of Object.entries(texts)) {
  rows[name] = {
    'first time (µs)': await median(async (i) => analyser.analyse(make(i), context)),
    'again (µs)': await median(async () => analyser.analyse(make(0), context)),
  }
}
await analyser.close()
console.table(rows)

/** Of 15 batches, each of 100 calls, in microseconds a call. */
async function median(work: (i: number) => Promise<unknown>): Promise<number> {
  let i = 1
  const batches: number[] = []
  for (let batch = 0; batch < 15; batch++) {
    const start = performance.now()
    for (let n = 0; n < 100; n++) await work(i++)
    batches.push(((performance.now() - start) * 1000) / 100)
  }
  return Number(batches.toSorted((a, b) => a - b)[7]!.toFixed(1))
}
