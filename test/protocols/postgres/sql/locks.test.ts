import { expect, test } from 'vitest'
import { admin, reads, unknown, writes } from './corpus.ts'
import { definitions } from './definitions.ts'
import { openShop } from './support.ts'

const shop = openShop()

/** Tables and views that the server has locked for a text, whatever for; `null` of a text that it refuses, or that cannot be in a transaction. */
async function lockedFor(text: string): Promise<readonly string[] | null> {
  const { database } = shop
  await database.exec('BEGIN')
  try {
    await database.exec(text)
    const { rows } = await database.query<{ name: string }>(`
      SELECT n.nspname || '.' || CASE WHEN c.relname ~ '[.]' THEN quote_ident(c.relname) ELSE c.relname END AS name
        FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE l.pid = pg_backend_pid() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384
         AND n.nspname !~ '^pg_(toast|temp)'`)
    return rows.map(({ name }) => name)
  } catch {
    return null
  } finally {
    await database.exec('ROLLBACK')
  }
}

// The last two lock what a new row points at, and look at what a function will say. That is neither read nor written.
const unlike =
  /^(COMMIT|ROLLBACK|PREPARE TRANSACTION|COPY|INSERT INTO orders|CREATE FUNCTION .* AS ')/

test('class 20: whatever the server locks for a text is among what the gateway says that it reaches', async () => {
  let compared = 0
  const missed: string[] = []
  for (const text of [...reads, ...writes, ...admin, ...unknown, ...definitions]) {
    if (unlike.test(text)) continue
    const locked = await lockedFor(text)
    if (!locked || locked.length === 0) continue
    compared += 1
    const { sql } = await shop.read(text)
    const { reached } = sql
    if (!Array.isArray(reached)) continue
    const more = locked.filter((name) => !(reached as string[]).includes(name))
    if (more.length > 0) missed.push(`${text}: ${more.join(', ')}`)
  }
  expect(missed).toEqual([])
  expect(compared).toBeGreaterThan(100)
})
