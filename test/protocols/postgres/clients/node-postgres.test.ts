import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failure, hasPostgres, startMatrix, type Address, type Matrix } from './matrix.ts'

const inBinary = {
  text: 'SELECT $1::bytea, $2::float8',
  values: [Buffer.from([0, 255, 10]), Math.PI],
  binary: true,
}

describe.runIf(hasPostgres)('node-postgres', () => {
  let matrix: Matrix
  beforeAll(async () => {
    matrix = await startMatrix()
  })
  afterAll(() => matrix.close())

  async function connected<Result>(
    address: Address,
    work: (client: pg.Client) => Promise<Result>,
  ): Promise<Result> {
    const client = new pg.Client({ ...address })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  const same = async (work: (client: pg.Client) => Promise<unknown>) =>
    expect(await connected(await matrix.open(), work)).toEqual(await connected(matrix.direct, work))

  test('queries, with and without values, in text and in binary', () =>
    same(async (client) => {
      const notices: unknown[] = []
      client.on('notice', ({ message, severity }) => notices.push({ message, severity }))
      return [
        notices,
        await client.query('SELECT * FROM customers ORDER BY id LIMIT 3'),
        await client.query('SELECT shout($1), $2::int[], $3::jsonb', ['hey', [1, 2], { a: null }]),
        await client.query({ text: 'SELECT $1::int8, now() > $2', values: [1, new Date(0)] }),
        await client.query({ text: 'SELECT id, email FROM customers LIMIT 2', rowMode: 'array' }),
        await client.query(inBinary),
        await client.query("SELECT 1 AS a; SELECT 'two' AS b; ;"),
        await client.query(''),
        await client.query("SET application_name = 'agent 7'; SHOW application_name"),
      ].map(results)
    }))

  test('transactions, savepoints and errors', () =>
    same(async (client) => {
      const found: unknown[] = []
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      await client.query("INSERT INTO customers VALUES (900, 'new', NULL)")
      await client.query('SAVEPOINT one')
      found.push(
        await failure(client.query("INSERT INTO customers VALUES ($1, 'again')", [900])),
        await failure(client.query('SELECT 1')),
      )
      await client.query('ROLLBACK TO SAVEPOINT one')
      found.push((await client.query('SELECT name FROM customers WHERE id = 900')).rows)
      found.push((await client.query('ROLLBACK')).command)
      found.push(
        (await client.query('SELECT name FROM customers WHERE id = 900')).rows,
        await failure(client.query('SELECT nothing FROM customers')),
        await failure(client.query('SELECT $1::int', ['many'])),
        await failure(client.query('SELEC 1')),
        await failure(client.query('SELECT 1/0')),
      )
      return found
    }))

  test('prepared statements, many at once, and one that fails among them', () =>
    same(async (client) => {
      const prepared = (id: unknown) => ({
        name: 'by-id',
        text: 'SELECT name FROM customers WHERE id = $1::int',
        values: [id],
      })
      const all = [1, 2, 'x', 3].map((id) => client.query(prepared(id)))
      return (await Promise.allSettled(all)).map((settled) =>
        settled.status === 'fulfilled' ? settled.value.rows : String(settled.reason),
      )
    }))

  test('cursors and streams of rows', () =>
    same(async (client) => {
      const cursor = client.query(new Cursor('SELECT i FROM generate_series(1, $1) i', [250]))
      const read = [await cursor.read(100), await cursor.read(100), await cursor.read(100)]
      await cursor.close()
      const early = client.query(new Cursor('SELECT i FROM generate_series(1, 100000) i'))
      await early.read(3)
      await early.close()
      const stream = client.query(
        new QueryStream('SELECT i FROM generate_series(1, 3000) i', [], { batchSize: 70 }),
      )
      let sum = 0
      for await (const { i } of stream as AsyncIterable<{ i: number }>) sum += i
      return [read, sum, (await client.query('SELECT 1 AS after')).rows]
    }))

  test('COPY in and out, and one that breaks off', () =>
    same(async (client) => {
      await client.query('CREATE TEMPORARY TABLE copied (id int, word text)')
      const rows = Array.from({ length: 20_000 }, (_, i) => `${i}\tword ${i}\n`)
      await pipeline(Readable.from(rows), client.query(copyFrom('COPY copied FROM STDIN')))
      const csv = client.query(
        copyTo('COPY (SELECT * FROM copied ORDER BY id) TO STDOUT (FORMAT csv)'),
      )
      const copied = await text(csv)
      const wrong = pipeline(
        Readable.from(['1\tone\n', 'two\ttwo\n']),
        client.query(copyFrom('COPY copied FROM STDIN')),
      )
      return [
        copied,
        await failure(wrong),
        (await client.query('SELECT count(*) FROM copied')).rows,
      ]
    }))

  test('LISTEN and NOTIFY', () =>
    same(async (client) => {
      const heard = new Promise((resolve) =>
        client.once('notification', ({ channel, payload }) => resolve({ channel, payload })),
      )
      await client.query('LISTEN news')
      await client.query("SELECT pg_notify('news', 'extra')")
      return heard
    }))

  test('cancels what runs, and goes on', () =>
    same(async (client) => {
      const sleeping = failure(client.query('SELECT pg_sleep(60)'))
      const { processID, secretKey, host, port } = client as unknown as Cancellable
      const { connection } = new pg.Client({ host, port }) as unknown as Cancellable
      connection.on('connect', () => connection.cancel(processID, secretKey))
      await sleeps(matrix, processID)
      connection.connect(port, host)
      return [await sleeping, (await client.query('SELECT 1 AS one')).rows]
    }))

  test('a pool of connections', async () => {
    const work = async (address: Address) => {
      const pool = new pg.Pool({ ...address, max: 4 })
      const ids = Array.from({ length: 40 }, (_, i) => i + 1)
      const all = ids.map((id) => pool.query('SELECT name FROM customers WHERE id = $1', [id]))
      const rows = (await Promise.all(all)).map((result) => result.rows as unknown)
      await pool.end()
      return rows
    }
    expect(await work(await matrix.open())).toEqual(await work(matrix.direct))
  })

  test('denied: an error like any other, and the session goes on', async () => {
    await connected(await matrix.ruled(), async (client) => {
      expect(await failure(client.query('SELECT * FROM vault'))).toMatchObject({
        code: '42501',
        severity: 'ERROR',
        message: 'denied by policy: Rule the-vault-stays-closed denies this.',
      })
      const values = { text: 'SELECT secret FROM vault WHERE secret = $1', values: ['x'] }
      expect(await failure(client.query(values))).toMatchObject({ code: '42501' })
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    })
  })

  test('SET TRANSACTION is the first of its transaction, also when others change the catalogue meanwhile', async () => {
    const address = await matrix.open()
    await connected(address, async (client) => {
      await client.query('BEGIN')
      await connected(address, (other) => other.query('CREATE TABLE meanwhile (id int)'))
      await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE')
      const { rows } = await client.query('SHOW transaction_isolation')
      expect(rows).toEqual([{ transaction_isolation: 'serializable' }])
      expect((await client.query('SELECT id FROM meanwhile')).rows).toEqual([])
      await client.query('COMMIT')
      await client.query('DROP TABLE meanwhile')
    })
  })

  test('held: it waits, and runs when it is approved', async () => {
    await connected(await matrix.ruled(), async (client) => {
      const deleting = client.query('DELETE FROM customers WHERE id = $1', [50])
      expect(await matrix.approve()).toBe('DELETE FROM customers WHERE id = $1')
      expect((await deleting).rowCount).toBe(1)
      expect(await matrix.customers()).toBe(49)
    })
  })
})

/** What node-postgres cancels with; its types leave that out. */
interface Cancellable {
  readonly host: string
  readonly port: number
  readonly processID: number
  readonly secretKey: number
  readonly connection: {
    connect(port: number, host: string): void
    on(event: 'connect', listener: () => void): void
    cancel(id: number, key: number): void
  }
}

/** Resolves once the server sleeps in this process, which has the same id on both sides of the gateway. */
async function sleeps({ direct }: Matrix, pid: number): Promise<void> {
  const client = new pg.Client({ ...direct })
  await client.connect()
  const sleeping = "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'"
  while ((await client.query(sleeping, [pid])).rowCount === 0);
  await client.end()
}

/** What a result is for its reader. */
function results(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(results)
  const { command, rowCount, rows, fields } = value as Partial<pg.QueryResult>
  return rows ? { command, rowCount, rows, fields } : value
}
