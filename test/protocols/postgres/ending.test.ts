import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { message, query } from '../../../src/protocols/postgres/wire/messages.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { shown, WireClient } from './wire-client.ts'

const policies = 'rules:\n  - { name: all, on: orders, then: allow }\n'

interface AuditEvent {
  readonly type: string
  readonly action?: { readonly id: string }
  readonly details?: { readonly summary?: string }
  readonly outcome?: Record<string, unknown>
}

/** What became of the agent's action with this summary. */
async function outcomeOf(db: DatabaseGateway, summary: string): Promise<unknown> {
  for (;;) {
    const events = (await db.gateway.auditLog()).map((line) => JSON.parse(line) as AuditEvent)
    const id = events.find((event) => event.details?.summary === summary)?.action?.id
    const end = events.find((event) => event.type === 'action.completed' && event.action?.id === id)
    if (end) return end.outcome
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Until a statement of the agent's waits for the lock that our own connection holds. */
async function waitsForUs({ direct }: DatabaseGateway): Promise<void> {
  const waiting =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
  while ((await direct.query(waiting)).rowCount === 0);
}

/** Passes bytes on to the database, until it is told to break off. */
async function startCable(to: { host: string; port: number }) {
  const sockets = new Set<Socket>()
  let deaf = false
  const server = createServer((from) => {
    const there = connect(to)
    for (const socket of [from, there]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    from.pipe(there)
    there.on('data', (bytes: Buffer) => {
      if (!deaf) from.write(bytes)
    })
    there.on('close', () => from.destroy())
    from.on('close', () => there.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    /** What the database says does not arrive any more. */
    swallow: () => (deaf = true),
    heal: () => (deaf = false),
    cut: () => sockets.forEach((socket) => socket.destroy()),
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

describe.runIf(hasPostgres)('a session ends', () => {
  let cable: Awaited<ReturnType<typeof startCable>>
  let db: DatabaseGateway
  beforeAll(async () => {
    const { hostname, port } = new URL(inject('postgres')!.server)
    cable = await startCable({ host: hostname, port: Number(port) })
    db = await startDatabase({
      policies,
      upstream: cable,
      resource: 'max_connections_per_subject: 3',
    })
  })
  afterAll(async () => {
    await db.close()
    cable.cut()
    await cable.close()
  })

  const ended = (client: pg.Client) => new Promise((resolve) => client.once('end', resolve))

  test('when a setting that decides how text is read changes behind its back, and not when a text asks for that', async () => {
    const client = await db.connect()
    const asked = await failureOf(client.query('SET standard_conforming_strings = off'))
    expect(asked).toMatchObject({ code: '0A000', severity: 'ERROR' })
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    const computed = `SELECT set_config('standard' || '_conforming_strings', 'off', false)`
    const hidden = await failureOf(client.query(`${computed}; SELECT 1`))
    expect(hidden).toMatchObject({ code: '0A000', severity: 'FATAL' })
  })

  test('with an error, when its database dies in the middle of an answer; a write without an answer is unknown', async () => {
    const client = await db.connect()
    await client.query('SELECT 1')
    cable.swallow()
    const text = 'INSERT INTO orders VALUES (8001, 1, 1)'
    const inserting = failureOf(client.query(text))
    while ((await db.direct.query('SELECT 1 FROM orders WHERE id = 8001')).rowCount === 0);
    cable.cut()
    cable.heal()
    expect(await inserting).toMatchObject({ code: '08006', severity: 'FATAL' })
    expect(await outcomeOf(db, text)).toMatchObject({ result: 'unknown', error: 'connection-lost' })
  })

  test('with its transaction rolled back, and on record as that', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    const text = 'INSERT INTO orders VALUES (8002, 1, 1)'
    await client.query(text)
    await client.end()
    expect(await outcomeOf(db, text)).toMatchObject({ result: 'failed', error: 'connection-lost' })
    expect((await db.direct.query('SELECT 1 FROM orders WHERE id = 8002')).rowCount).toBe(0)
  })

  test('a COMMIT without an answer leaves what was written unknown', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    const text = 'INSERT INTO orders VALUES (8003, 1, 1)'
    await client.query(text)
    cable.swallow()
    const committing = failureOf(client.query('COMMIT'))
    while ((await db.direct.query('SELECT 1 FROM orders WHERE id = 8003')).rowCount === 0);
    cable.cut()
    cable.heal()
    await committing
    expect(await outcomeOf(db, text)).toMatchObject({ result: 'unknown', error: 'connection-lost' })
  })

  test('a ROLLBACK without an answer leaves what came behind it unknown', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    const before = 'INSERT INTO orders VALUES (8006, 1, 1)'
    await client.query(before)
    cable.swallow()
    const text = 'ROLLBACK; INSERT INTO orders VALUES (8007, 1, 1)'
    const writing = failureOf(client.query(text))
    while ((await db.direct.query('SELECT 1 FROM orders WHERE id = 8007')).rowCount === 0);
    cable.cut()
    cable.heal()
    await writing
    expect(await outcomeOf(db, text)).toMatchObject({ result: 'unknown', error: 'connection-lost' })
    expect(await outcomeOf(db, before)).toMatchObject({ result: 'failed' })
  })

  test('when the client dies in the middle of a write, whose outcome is recorded', async () => {
    const client = await WireClient.open(db.port)
    await client.logIn(db.database, await db.gateway.agentToken())
    const text = 'INSERT INTO orders SELECT 8004, 1, 1 FROM pg_advisory_xact_lock(1)'
    await db.direct.query('SELECT pg_advisory_lock(1)')
    client.send(query(text))
    await waitsForUs(db)
    client.socket.destroy()
    // Another client's answer comes after the news of the end of this one.
    await (await db.connect()).query('SELECT 1')
    await db.direct.query('SELECT pg_advisory_unlock(1)')
    expect(await outcomeOf(db, text)).toMatchObject({ result: 'succeeded', rows: 1 })
    expect((await db.direct.query('SELECT 1 FROM orders WHERE id = 8004')).rowCount).toBe(1)
  })

  test('when the client dies in the middle of a row that it copies in, and nothing of it stays', async () => {
    const client = await WireClient.open(db.port)
    await client.logIn(db.database, await db.gateway.agentToken())
    const text = 'COPY orders FROM STDIN'
    client.send(query(text))
    await client.until('G')
    const row = message('d', Buffer.from('8005\t1\t1\n'))
    client.send(row, row.subarray(0, 9))
    const copying = 'SELECT 1 FROM pg_stat_progress_copy WHERE datname = current_database()'
    while ((await db.direct.query(`${copying} AND bytes_processed > 0`)).rowCount === 0);
    client.socket.destroy()
    expect(await outcomeOf(db, text)).toMatchObject({ result: 'failed', error: 'connection-lost' })
    while ((await db.direct.query(copying)).rowCount !== 0);
    expect((await db.direct.query('SELECT 1 FROM orders WHERE id = 8005')).rowCount).toBe(0)
  })

  test('when the database ends it, in its own words', async () => {
    const client = await db.connect()
    const gone = ended(client)
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    expect((client as unknown as { processID: number }).processID).toBe(rows[0]!.pid)
    const said = new Promise((resolve) => client.once('error', resolve))
    await db.direct.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
    expect(await said).toMatchObject({ code: '57P01' })
    await gone
  })

  test('when its token runs out', async () => {
    // The clocks may be off by 30 seconds, and a busy machine may take some for the login.
    const exp = Math.floor(Date.now() / 1000) - 22
    const client = await db.connect({ exp })
    const said = new Promise((resolve) => client.once('error', resolve))
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect(await said).toMatchObject({ code: '57P01', severity: 'FATAL' })
  })

  test('before it begins, where one subject has too many', async () => {
    const clients = [await db.connect(), await db.connect(), await db.connect()]
    const more = new pg.Client(await db.config())
    expect(await failureOf(more.connect())).toMatchObject({ code: '53300' })
    const other = await db.connect({ sub: 'another-agent' })
    expect((await other.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await Promise.all(clients.map((client) => client.end()))
  })

  test('before it begins, where the database cannot be reached: without its address', async () => {
    const port = (await startCable({ host: '127.0.0.1', port: 1 })).port
    const nowhere = await startDatabase({ policies, upstream: { host: '127.0.0.1', port } })
    onTestFinished(() => nowhere.close())
    const client = new pg.Client(await nowhere.config())
    const error = await failureOf(client.connect())
    expect(error).toMatchObject({ code: '08001', severity: 'FATAL' })
    expect(error.message).not.toContain(String(port))
  })

  test('with a goodbye before the password, without a word', async () => {
    const client = await WireClient.open(db.port)
    client.start({ user: 'agent', database: db.database })
    expect(shown([(await client.next())!])).toEqual(['R'])
    client.send(message('X'))
    expect(await client.next()).toBeNull()
  })

  test('for every client in order, when the gateway stops', async () => {
    const stopping = await startDatabase({ policies })
    const client = await stopping.connect()
    const said = new Promise((resolve) => client.once('error', resolve))
    await stopping.close()
    expect(await said).toMatchObject({ code: '57P01', severity: 'FATAL' })
  })

  test('when the gateway stops in the middle of an answer, behind the whole of it', async () => {
    const stopping = await startDatabase({ policies })
    const client = await WireClient.open(stopping.port)
    await client.logIn(stopping.database, await stopping.gateway.agentToken())
    const { direct } = stopping
    await direct.query('SELECT pg_advisory_lock(1)')
    client.send(query('SELECT 1 FROM pg_advisory_xact_lock(1)'))
    await waitsForUs(stopping)
    const closed = stopping.gateway.close()
    await direct.query('SELECT pg_advisory_unlock(1)')
    expect(shown(await client.until('E'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I', 'E 57P01'])
    await closed
    await direct.end()
  })

  test('and its key cancels nothing any more, nor does a wrong one', async () => {
    const client = await WireClient.open(db.port)
    const received = await client.logIn(db.database, await db.gateway.agentToken())
    const key = received.find(({ type }) => type === 'K')!.body
    client.send(query('SELECT pg_sleep(0.3)'))
    const wrong = Buffer.from(key)
    wrong[7] = wrong[7]! ^ 1
    const code = Buffer.alloc(4)
    code.writeUInt32BE(80_877_102)
    const other = await WireClient.open(db.port)
    other.send(message('', code, wrong))
    expect(await other.next()).toBeNull()
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    client.socket.destroy()
  })
})
