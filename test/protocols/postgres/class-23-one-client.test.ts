import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  cstring,
  int16,
  int32,
  message,
  query,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { openWire, shown } from './wire-client.ts'

const policies = 'rules:\n  - { name: all, on: orders, then: allow }\n'

/** What one client can send must not take the time, the memory or the connections of the others. What once did is here; whoever waits for an answer for a minute fails. */
describe.runIf(hasPostgres)('class 23: one client alone', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  const open = () => openWire(db)

  const trace = `traceparent='00-${'a'.repeat(32)}-${'b'.repeat(16)}-01'`

  test.each([
    ['nothing but blanks behind SET', `SET ${' '.repeat(1_000_000)}(`, 'E 42601'],
    ['traces in a comment that does not end', `/*${trace.repeat(50_000)}*`, 'E 42601'],
    ['blanks before the end of a comment', `/*${' '.repeat(1_000_000)}* * */ (`, 'E 42601'],
  ])('does not stop the gateway with %s', async (_, text, error) => {
    const client = await open()
    client.send(query(text))
    expect(shown(await client.until('Z'))).toEqual([error, 'Z I'])
  })

  test('is read no further than a few thousand questions ahead, and gets all its answers', async () => {
    await db.direct.query('SELECT pg_advisory_lock(23)')
    const client = await open()
    const count = 100_000
    const syncs = Buffer.concat(Array.from({ length: count }, () => sync))
    client.send(query('SELECT pg_advisory_lock(23)'), syncs)
    const waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while ((await db.direct.query(waits)).rowCount === 0);
    expect((await (await db.connect()).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await db.direct.query('SELECT pg_advisory_unlock(23)')
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    for (let i = 0; i < count; i++) await client.until('Z')
    client.send(query('SELECT 1'))
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
  })

  test('has names for no more than so much, also of what is nearly empty', async () => {
    const client = await open()
    const types = Buffer.alloc(4 * 65_535)
    for (let i = 0; i < 100; i++)
      client.send(message('P', cstring(`s${i}`), cstring(''), int16(-1), types))
    expect(shown(await client.until('E')).at(-1)).toBe('E 53200')
  })

  test('pushes out its own, and nobody else, with connections on which it says half of who it is', async () => {
    const half = message('', int32(3 << 16), Buffer.from('user\0agent\0')).subarray(0, 12)
    let closed = 0
    const crowd = Array.from({ length: 400 }, (): Socket => {
      const socket = connect({ port: db.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
      socket.on('error', () => undefined).on('close', () => (closed += 1))
      socket.write(half)
      return socket
    })
    onTestFinished(() => crowd.forEach((socket) => socket.destroy()))
    // While 100 of them wait.
    await expect.poll(() => closed).toBe(300)
    const client = await open()
    client.send(query('SELECT 1'))
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
  })
})
