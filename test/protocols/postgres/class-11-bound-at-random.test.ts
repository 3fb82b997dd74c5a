import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomFrom } from '../../support/random.ts'
import { BoundDatabase } from './bound-database.ts'
import { hasPostgres } from './database.ts'
import { ddl, names, type Random } from './sql/definitions-at-random.ts'

// More of them find more, by hand.
const steps = Number(process.env['SALLYPORT_TEST_STEPS'] ?? 25)
const seed = Number(process.env['SALLYPORT_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))

/** A statement by names that may stand for anything, or nothing. */
function statement(pick: Random): string {
  const [one, other] = [pick(names), pick(names)]
  return pick([
    `DELETE FROM ${one} WHERE a > f(1)`,
    `DELETE FROM ${one} USING ${other} WHERE ${one}.a = ${other}.a`,
    `UPDATE ${one} SET a = 5`,
    `INSERT INTO ${one} DEFAULT VALUES`,
    `INSERT INTO ${one} (a) VALUES (f(2))`,
    `INSERT INTO ${one} (a) SELECT a FROM ${other}`,
    `INSERT INTO ${one} (b) VALUES ('glad')`,
    `INSERT INTO ${one} (b) VALUES ('x'::text + 'y'::text)`,
  ])
}

describe.runIf(hasPostgres)('class 11: definitions made at random', () => {
  const db = new BoundDatabase(['one', 'public'])
  beforeAll(async () => {
    await db.open('CREATE SCHEMA one; GRANT ALL ON SCHEMA one TO owner')
    await db.session.query(`SET client_min_messages = error; SET lock_timeout = '20ms';
      SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_mergejoin = off; SET enable_hashjoin = off`)
  })
  afterAll(() => db.close())

  const attempt = async (text: string): Promise<string> => {
    try {
      const result = await db.session.query<string[]>({ text, rowMode: 'array' })
      return JSON.stringify([result.rowCount, result.rows])
    } catch (error) {
      return (error as Error).message
    }
  }

  /** What the server makes of a statement: its plan, and what becomes of it. */
  async function meaningOf(text: string): Promise<string> {
    const plan = await attempt(`EXPLAIN (VERBOSE, COSTS OFF) ${text}`)
    await db.session.query('BEGIN')
    const end = await attempt(text)
    await db.session.query('ROLLBACK')
    return `${plan}\n${end}`
  }

  test(`another meaning is never bound to the same (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    const pick: Random = (list) => list[Math.floor(random() * list.length)]!
    const done: string[] = []
    const counts = { changed: 0, same: 0 }
    for (let step = 0; step < steps; step++) {
      const text = statement(pick)
      const sql = await db.read(text, db.session)
      const [bound, meaning] = [await db.boundTo(sql, db.session), await meaningOf(text)]
      for (let i = 0; i < 3; i++) {
        const change = ddl(pick)
        // Names of what is the session's own are bound apart (`seal.ts`).
        if (change.includes('TEMP')) continue
        done.push(`${change} -- ${await attempt(change)}`)
        const isBound = (await db.boundTo(sql, db.session)) === bound
        const after = await meaningOf(text)
        const said = [...done.slice(-60), text, meaning, after].join('\n')
        if (isBound) expect(after, said).toBe(meaning)
        counts[isBound ? 'same' : 'changed'] += 1
      }
    }
    expect(counts.changed).toBeGreaterThan(0)
    expect(counts.same).toBeGreaterThan(steps / 3)
  })
})
