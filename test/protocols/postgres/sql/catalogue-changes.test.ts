import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { CatalogueReader } from '../../../../src/protocols/postgres/sql/read-catalogue.ts'
import { randomFrom } from '../../../support/random.ts'
import { createTestDatabase } from '../../../support/store.ts'
import { ddl, type Random } from './definitions-at-random.ts'
import { sessionOf } from './support.ts'

// More of them find more, by hand: each compares with a whole reading.
const steps = Number(process.env['SALLYPORT_TEST_STEPS'] ?? 80)
describe.runIf(inject('postgres') !== null)('what others change in the catalogue', () => {
  let url: string
  let reading: pg.Client
  const writers: pg.Client[] = []

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }

  beforeAll(async () => {
    url = await createTestDatabase()
    reading = await connect()
    for (let i = 0; i < 4; i++) writers.push(await connect())
    for (const writer of writers) await writer.query("SET lock_timeout = '20ms'")
    await writers[0]!.query('CREATE SCHEMA one')
  })
  afterAll(() => Promise.all([reading, ...writers].map((client) => client.end())))

  /** The first session commits everything at once; the others leave transactions open, and take some of them back; the last only has one. */
  async function change(pick: Random): Promise<string> {
    const who = pick([0, 0, 0, 0, 1, 2, 3])
    const ends = ['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'ROLLBACK TO s']
    const begins = 'BEGIN; SELECT pg_current_xact_id()'
    const text =
      who === 3 ? pick([begins, 'COMMIT']) : who > 0 ? pick([...ends, ddl(pick)]) : ddl(pick)
    try {
      await writers[who]!.query(text)
      return `${who}: ${text}`
    } catch (error) {
      if (who > 0) await writers[who]!.query('ROLLBACK')
      return `${who}: ${text} -- ${(error as Error).message}`
    }
  }

  const probe = {
    query: async (sql: string) => (await reading.query<Record<string, string | null>>(sql)).rows,
  }

  /** What was read before and now, and everything now. */
  async function bothReadings(reader: CatalogueReader) {
    const { data } = await reader.read()
    const { data: anew } = await new CatalogueReader(sessionOf(probe)).read()
    // What a view says cannot be read while somebody changes what it is about.
    const isWhole = [data, anew].every(({ relations }) =>
      [...relations.values()].every(
        ({ definition, policies }) => ![definition, ...policies].includes(''),
      ),
    )
    if (isWhole) return { data, anew }
    for (const writer of writers) await writer.query('ROLLBACK')
    return bothReadings(reader)
  }

  const seed = Number(process.env['SALLYPORT_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))

  test(`is read as if everything had been read anew (seed ${seed})`, async () => {
    const random = randomFrom(seed)
    const pick: Random = (list) => list[Math.floor(random() * list.length)]!
    const reader = new CatalogueReader(sessionOf(probe))
    await reader.read()
    const done: string[] = []
    let changed = 0
    let before = -1
    for (let step = 0; step < steps; step++) {
      for (let i = 0; i < 3; i++) done.push(await change(pick))
      const { data, anew } = await bothReadings(reader)
      if (data.version !== before) changed += 1
      before = data.version
      expect(sorted(data), done.slice(-60).join('\n')).toEqual(sorted(anew))
    }
    expect(changed).toBeGreaterThan(steps / 10)
  })

  test('is read all but what somebody has locked, which is read as soon as it can be', async () => {
    const [owner, other] = [writers[0]!, writers[1]!]
    await owner.query(`
      CREATE SCHEMA held; CREATE TABLE held.one (a int, b int DEFAULT 1); CREATE TABLE held.other (a int);
      CREATE VIEW held.locked AS SELECT a FROM held.one; CREATE VIEW held.free AS SELECT a FROM held.other;
      CREATE POLICY p ON held.one USING (a > 1); ALTER TABLE held.one ENABLE ROW LEVEL SECURITY`)
    const reader = new CatalogueReader(sessionOf(probe))
    const read = async (by = reader) => {
      const { relations } = (await by.read()).data
      const { definition } = relations.get('held.locked')!
      const { policies, volatileDefaults } = relations.get('held.one')!
      return [definition, relations.get('held.free')!.definition, ...policies, volatileDefaults]
    }
    const whole = [' SELECT one.a\n   FROM held.one;', ' SELECT other.a\n   FROM held.other;']
    await other.query('BEGIN; LOCK TABLE held.one')
    expect(await read()).toEqual(['', whole[1], '', true])
    await other.query('ROLLBACK')
    expect(await read()).toEqual([...whole, '(a > 1)', false])
    await other.query('BEGIN; ALTER TABLE held.one RENAME a TO c')
    expect(await read(new CatalogueReader(sessionOf(probe)))).toEqual(['', whole[1], '', true])
    await other.query('COMMIT')
    const renamed = ' SELECT one.c AS a\n   FROM held.one;'
    expect(await read()).toEqual([renamed, whole[1], '(c > 1)', false])
  })
})

/** Without the order in which things were read. */
function sorted(data: object): unknown {
  return JSON.parse(
    JSON.stringify(data, (key, value: unknown) => {
      if (key === 'version') return 0
      if (value instanceof Map) return Object.fromEntries(value)
      const unordered = ['schemas', 'children', 'parents', 'cascades'].includes(key)
      return unordered ? (value as string[]).toSorted() : value
    }),
  )
}
