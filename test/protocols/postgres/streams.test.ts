import { execFile, spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as immediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bind,
  cstring,
  execute,
  flush,
  message,
  parse,
  query,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { openWire, shown } from './wire-client.ts'

const run = promisify(execFile)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const policies = `rules:
  - { name: all, on: orders, who: { group: agents }, then: allow }
  - name: imports-need-a-lead
    on: orders
    what: { sql: { tables: [public.customers], verb: [copy] } }
    then: hold
    approval: { from: { group: support-leads }, expires: 5m }
`

describe.runIf(hasPostgres)('a stream', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  const open = () => openWire(db)

  test('of 100 MB comes through whole, and stays out of memory', async () => {
    const client = await open()
    const { socket } = client
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    let bytes = 0
    let most = 0
    socket.removeAllListeners('data')
    client.send(query("COPY (SELECT repeat('x', 999) FROM generate_series(1, 100000)) TO STDOUT"))
    // CopyOutResponse, the rows with their headers, CopyDone, CommandComplete, ReadyForQuery.
    const whole = 10 + 100_000 * 1005 + 5 + 17 + 6
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      const part = Math.floor(bytes / 20_000_000)
      bytes += chunk.length
      if (Math.floor(bytes / 20_000_000) > part) {
        // What is garbage already does not count: what it held is given back after it was found.
        collectGarbage()
        await immediate()
        collectGarbage()
        most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      }
      if (bytes >= whole) break
    }
    expect(bytes).toBe(whole)
    expect(most).toBeLessThan(16 * 1024 * 1024)
  })

  test('waits for a client that does not read', async () => {
    const client = await open()
    client.socket.pause()
    client.send(query("SELECT i || repeat('x', 994) FROM generate_series(10001, 50000) i"))
    const waiting =
      "SELECT wait_event FROM pg_stat_activity WHERE query LIKE 'SELECT i || repeat%' AND state = 'active' AND datname = current_database()"
    for (let event: unknown = null; event !== 'ClientWrite';)
      [event] = (await db.direct.query<{ wait_event: unknown }>(waiting)).rows.map(
        (row) => row.wait_event,
      )
    // What a neighbour reads meanwhile is not read over what waits.
    const neighbour = await db.connect()
    const { rows } = await neighbour.query("SELECT repeat('y', 300000) AS long")
    expect(rows).toEqual([{ long: 'y'.repeat(300_000) }])
    client.socket.resume()
    const received = (await client.until('Z')).filter(({ type }) => type === 'D')
    const values = received.map(({ body }) => body.toString('latin1', 6))
    expect(values).toEqual(
      Array.from({ length: 40_000 }, (_, i) => `${10_001 + i}${'x'.repeat(994)}`),
    )
  })

  test('of rows goes in with COPY, and its failure leaves the session usable', async () => {
    const client = await db.connect()
    const rows = Array.from({ length: 20_000 }, (_, i) => `${10_000 + i}\t1\t1\n`)
    await pipeline(Readable.from(rows), client.query(copyFrom('COPY orders FROM STDIN')))
    expect(
      (await client.query('SELECT count(*)::int AS n FROM orders WHERE id >= 10000')).rows,
    ).toEqual([{ n: 20_000 }])
    const failed = pipeline(
      Readable.from(['not a number\n']),
      client.query(copyFrom('COPY orders FROM STDIN')),
    )
    expect((await failureOf(failed)).code).toBe('22P02')
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('of rows is held at its opening, which says so', async () => {
    const client = await db.connect()
    const copied = pipeline(
      Readable.from(['900\tx\ty\n']),
      client.query(copyFrom('COPY customers FROM STDIN')),
    )
    const approval = await db.gateway.pending()
    expect(approval.action.payload['copy_note']).toMatch(/come after it, and are not shown/)
    await db.gateway.vote('dana', approval)
    await copied
    expect((await client.query('SELECT name FROM customers WHERE id = 900')).rows).toEqual([
      { name: 'x' },
    ])
  })

  test('of rows may come together with what opens it, by either protocol, and with what follows', async () => {
    const client = await open()
    const rows = (id: number) => [message('d', Buffer.from(`${id}\t1\t1\n`)), message('c')]
    const opening = 'COPY orders FROM STDIN'
    client.send(query(opening), ...rows(7100), query('SELECT 1'))
    expect(shown(await client.until('Z'))).toEqual(['G', 'C COPY 1', 'Z I'])
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    // The server takes no notice of a Sync while it copies.
    client.send(parse('', opening), bind('', ''), execute(''), sync, ...rows(7101), sync)
    expect(shown(await client.until('Z'))).toEqual(['1', '2', 'G', 'C COPY 1', 'Z I'])
    client.send(query(`${opening}; ${opening}`), ...rows(7102), ...rows(7103), query('SELECT 2'))
    expect(shown(await client.until('Z'))).toEqual(['G', 'C COPY 1', 'G', 'C COPY 1', 'Z I'])
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    // Rows behind a COPY that is refused go nowhere.
    client.send(query('COPY orders (nothing) FROM STDIN'), ...rows(7104), query('SELECT 3'))
    expect(shown(await client.until('Z'))).toEqual(['E 42703', 'Z I'])
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    const { rows: copied } = await db.direct.query(
      'SELECT id FROM orders WHERE id BETWEEN 7100 AND 7199 ORDER BY id',
    )
    expect(copied).toEqual([7100, 7101, 7102, 7103].map((id) => ({ id })))
  })

  test('of rows that are longer than what may wait for the server goes in whole by the extended protocol, too', async () => {
    const client = await open()
    await db.direct.query('CREATE TABLE long_words (word text)')
    client.send(parse('', 'COPY long_words FROM STDIN'), bind('', ''), execute(''), flush)
    await client.until('G')
    for (let i = 0; i < 4; i++)
      client.send(message('d', Buffer.from(`${String(i).repeat(8_000_000)}\n`)))
    client.send(message('c'), sync)
    expect(shown(await client.until('Z'))).toEqual(['C COPY 4', 'Z I'])
    const { rows } = await db.direct.query(
      `SELECT word = repeat(left(word, 1), 8000000) AS whole FROM long_words`,
    )
    expect(rows).toEqual([0, 1, 2, 3].map(() => ({ whole: true })))
  })

  test('that the client gives up leaves nothing behind, and messages of another kind end it', async () => {
    const client = await open()
    client.send(query('COPY orders FROM STDIN'))
    await client.until('G')
    client.send(message('d', Buffer.from('7000\t1\t1\n')), message('f', cstring('no more')))
    expect(shown(await client.until('Z'))).toEqual(['E 57014', 'Z I'])
    client.send(query('COPY orders FROM STDIN'))
    await client.until('G')
    client.send(query('DROP TABLE orders'))
    expect(shown(await client.until('Z'))).toEqual(['E 08P01'])
    expect((await db.direct.query('SELECT 1 FROM orders WHERE id = 7000')).rowCount).toBe(0)
  })

  test('of notifications comes through', async () => {
    const listener = await db.connect()
    const heard = new Promise<pg.Notification>((resolve) => listener.once('notification', resolve))
    await listener.query('LISTEN news')
    await (await db.connect()).query("NOTIFY news, 'hello'")
    expect(await heard).toMatchObject({ channel: 'news', payload: 'hello' })
  })
})

describe.runIf(hasPostgres)('psql', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  const psql = async (...commands: string[]) => {
    const env = { ...process.env, PGPASSWORD: await db.gateway.agentToken() }
    const url = `postgres://agent@127.0.0.1:${db.port}/${db.database}`
    return { env, args: [url, '-At', ...commands.flatMap((command) => ['-c', command])] }
  }

  test('describes tables, keeps transactions, and shows errors where they are', async () => {
    const { env, args } = await psql(
      String.raw`\d orders`,
      'BEGIN',
      'SELECT 1/0',
      'SELECT 1',
      'COMMIT',
    )
    const { stdout, stderr } = await run('psql', args, { env })
    expect(stdout).toContain('total|numeric|')
    expect(stdout.trimEnd().split('\n').slice(-2)).toEqual(['BEGIN', 'ROLLBACK'])
    expect(stderr).toContain('division by zero')
    expect(stderr).toContain('current transaction is aborted')
  })

  test('cancels what runs with Ctrl-C', async () => {
    const { env, args } = await psql('SELECT pg_sleep(60)')
    const child = spawn('psql', args, { env })
    let said = ''
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
    const running =
      "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active' AND datname = current_database()"
    while ((await db.direct.query(running)).rowCount === 0);
    child.kill('SIGINT')
    await new Promise((resolve) => child.once('close', resolve))
    expect(said).toContain('canceling statement due to user request')
  })
})
