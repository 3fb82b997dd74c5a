import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure, hasPostgres, startMatrix, type Address, type Matrix } from './matrix.ts'

describe.runIf(hasPostgres)('postgres.js', () => {
  let matrix: Matrix
  beforeAll(async () => {
    matrix = await startMatrix()
  })
  afterAll(() => matrix.close())

  async function connected<Result>(
    { user, ...address }: Address,
    work: (sql: postgres.Sql) => Promise<Result>,
    more: postgres.Options<Record<string, postgres.PostgresType>> = {},
  ): Promise<Result> {
    const sql = postgres({ ...address, username: user, max: 1, onnotice: () => {}, ...more })
    try {
      return await work(sql)
    } finally {
      await sql.end()
    }
  }

  const same = async (
    work: (sql: postgres.Sql) => Promise<unknown>,
    more: postgres.Options<Record<string, postgres.PostgresType>> = {},
  ) =>
    expect(await connected(await matrix.open(), work, more)).toEqual(
      await connected(matrix.direct, work, more),
    )

  test('queries, with types that it asks the server for', () =>
    same(
      async (sql) => [
        await sql`SELECT * FROM customers ORDER BY id LIMIT 3`,
        await sql`SELECT * FROM customers WHERE id = ANY(${[1, 2, 3]}) ORDER BY id`,
        await sql`SELECT name FROM ${sql('customers')} WHERE ${sql('id')} IN ${sql([4, 5])}`,
        await sql`SELECT ${sql.json({ a: [1] })}::jsonb AS j, ${sql.array(['x', 'y'])} AS texts`,
        await sql`SELECT ARRAY['sad','happy']::mood[] AS moods`,
        await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b'),
        await sql`SELECT 1 AS x, 2 AS y`.values(),
        (await sql`SELECT id FROM customers`.describe()).columns,
        await sql`SELECT shout('hey')`,
      ],
      { fetch_types: true },
    ))

  test('without prepared statements', () =>
    same(async (sql) => sql`SELECT name FROM customers WHERE id = ${7}`, { prepare: false }))

  test('transactions that are pipelined, savepoints and errors', () =>
    same(async (sql) => {
      const insert = sql.begin(async (tx) => {
        const [one, two] = await Promise.all([
          tx`INSERT INTO customers VALUES (901, 'a', NULL) RETURNING id`,
          tx`INSERT INTO customers VALUES (902, 'b', NULL) RETURNING id`,
        ])
        const within = await failure(
          tx.savepoint((inner) => inner`INSERT INTO customers VALUES (901, 'c', NULL)`),
        )
        return [one, two, within, await tx`DELETE FROM customers WHERE id > 900 RETURNING id`]
      })
      const failing = sql.begin((tx) => [
        tx`INSERT INTO customers VALUES (903, 'a', NULL)`,
        tx`SELECT 1/0`,
        tx`SELECT 1`,
      ])
      return [
        await insert,
        await failure(failing),
        await sql`SELECT count(*)::int FROM customers`,
        await failure(sql`SELECT nothing FROM customers`),
        await failure(sql`SELECT ${'x'}::int`),
      ]
    }))

  test('a pipeline of a hundred on one connection', () =>
    same(async (sql) =>
      Promise.all(Array.from({ length: 100 }, (_, i) => sql`SELECT ${i}::int AS i`)),
    ))

  test('cursors, for each row, and COPY', () =>
    same(async (sql) => {
      const read: unknown[] = []
      for await (const rows of sql`SELECT i FROM generate_series(1, 25) i`.cursor(10))
        read.push(rows.length)
      await sql`SELECT i FROM generate_series(1, 100) i`.cursor(10, (rows) => {
        read.push(rows.length)
        return sql.CLOSE
      })
      await sql`SELECT i FROM generate_series(1, 5) i`.forEach((row) => read.push(row))
      await sql`CREATE TEMPORARY TABLE copied (id int, word text)`
      const rows = Array.from({ length: 1_000 }, (_, i) => `${i}\tword ${i}\n`)
      await pipeline(Readable.from(rows), await sql`COPY copied FROM STDIN`.writable())
      return [read, await text(await sql`COPY copied TO STDOUT`.readable())]
    }))

  test('cancels what runs, and goes on', () =>
    same(
      async (sql) => {
        const sleeping = sql`SELECT pg_sleep(60)`
        const failed = failure(sleeping)
        while (!(await sleepsNow(matrix)));
        sleeping.cancel()
        return [await failed, await sql`SELECT 1 AS one`]
      },
      { max: 2 },
    ))

  test('LISTEN and NOTIFY', () =>
    same(async (sql) => {
      const { promise, resolve } = Promise.withResolvers<string>()
      const { unlisten } = await sql.listen('news', resolve)
      await sql.notify('news', 'extra')
      const heard = await promise
      await unlisten()
      return heard
    }))

  test('denied: an error like any other, and the session goes on', async () => {
    await connected(await matrix.ruled(), async (sql) => {
      expect(await failure(sql`SELECT * FROM vault`)).toMatchObject({ code: '42501' })
      expect(await failure(sql.begin(async (tx) => tx`SELECT secret FROM vault`))).toMatchObject({
        code: '42501',
      })
      expect([...(await sql`SELECT 1 AS one`)]).toEqual([{ one: 1 }])
    })
  })

  test('held: it waits, and runs when it is approved', async () => {
    await connected(await matrix.ruled(), async (sql) => {
      const deleting = sql`DELETE FROM customers WHERE id = ${50}`.execute()
      await matrix.approve()
      expect((await deleting).count).toBe(1)
    })
  })
})

async function sleepsNow({ direct }: Matrix): Promise<boolean> {
  const sql = postgres({ ...direct, username: direct.user, max: 1 })
  const rows = await sql`SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'`
  await sql.end()
  return rows.count > 0
}
