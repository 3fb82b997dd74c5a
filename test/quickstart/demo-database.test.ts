import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startDemoDatabase, type DemoDatabase } from '../../src/quickstart/demo-database.ts'

let database: DemoDatabase
beforeAll(async () => {
  database = await startDemoDatabase({ port: 0 })
})
afterAll(() => database.close())

async function connect(more: pg.ClientConfig = {}): Promise<pg.Client> {
  const { port, user, password } = database
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, ...more })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const count = async (client: pg.Client) =>
  (await client.query<{ n: number }>('SELECT count(*)::int AS n FROM orders')).rows[0]!.n

test('it has orders of customers', async () => {
  const client = await connect()
  const { rows } = await client.query(
    'SELECT name FROM customers c JOIN orders o ON o.customer = c.id WHERE amount_cents > $1',
    [100_000],
  )
  expect(rows).toEqual([{ name: 'Ada Lovelace' }])
})

test('who does not know the password gets nothing', async () => {
  const { port, user } = database
  const client = new pg.Client({ host: '127.0.0.1', port, user, password: 'guessed' })
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01', severity: 'FATAL' })
})

test('its clients own nothing', async () => {
  const client = await connect()
  await expect(client.query('DROP TABLE orders')).rejects.toMatchObject({ code: '42501' })
  expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: 'orders_app' }])
})

test('each connection keeps its settings, although they share a session', async () => {
  const [one, other] = [await connect({ application_name: 'one' }), await connect()]
  await one.query("SET search_path = pg_catalog; SET work_mem = '8MB'")
  expect((await other.query('SHOW search_path')).rows).toEqual([{ search_path: 'public' }])
  await other.query("SET work_mem = '9MB'")
  expect((await one.query('SHOW work_mem')).rows).toEqual([{ work_mem: '8MB' }])
  expect((await other.query('SHOW work_mem')).rows).toEqual([{ work_mem: '9MB' }])
  expect((await one.query('SHOW application_name')).rows).toEqual([{ application_name: 'one' }])
})

test('a transaction is alone, and is undone when its client goes away', async () => {
  const [one, other] = [await connect(), await connect()]
  const all = await count(other)
  await one.query('BEGIN')
  await one.query('DELETE FROM orders')
  const counting = count(other)
  await one.end()
  expect(await counting).toBe(all)
})

test('the name of a prepared statement is free again when its client has gone', async () => {
  for (let i = 0; i < 2; i++) {
    const client = await connect()
    await client.query({ name: 'mine', text: 'SELECT $1::int AS i', values: [i] })
    await client.end()
  }
})

test('a client that stops in the middle of a message keeps nobody waiting', async () => {
  const client = await connect()
  const { stream } = (client as unknown as { connection: { stream: NodeJS.WritableStream } })
    .connection
  stream.write(Buffer.from([0x51, 0, 0, 0]))
  expect(await count(await connect())).toBeGreaterThan(0)
})
