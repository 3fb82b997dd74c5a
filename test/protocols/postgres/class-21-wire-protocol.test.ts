import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  bind,
  cstring,
  execute,
  int16,
  int32,
  message,
  parse,
  query,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { shown, WireClient } from './wire-client.ts'

const policies = `rules:
  - name: agents-read-orders
    on: orders
    what: { sql: { verb: [select], tables: [public.orders] } }
    then: allow
`

/** Every connection is a client of its own; the process, and the clients beside it, go on whatever comes. */
describe.runIf(hasPostgres)('class 21: the wire protocol', () => {
  let db: DatabaseGateway
  let token: string
  beforeAll(async () => {
    db = await startDatabase({ policies })
    token = await db.gateway.agentToken()
  })
  afterAll(() => db.close())

  async function open(): Promise<WireClient> {
    const client = await WireClient.open(db.port)
    onTestFinished(() => void client.socket.destroy())
    return client
  }

  async function logIn(): Promise<WireClient> {
    const client = await open()
    await client.logIn(db.database, token)
    return client
  }

  /** Everything that comes back until the connection is closed. */
  const rest = async (client: WireClient) => shown(await client.until('never'))

  test.each([
    ['a length that is too short', Buffer.from([0, 0, 0, 3])],
    ['a length that is too long', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['an unknown version', message('', int32(2 << 16), Buffer.from('user\0agent\0\0'))],
    ['a parameter without an end', message('', int32(3 << 16), Buffer.from('user\0agent'))],
    [
      'a parameter that is there twice',
      message('', int32(3 << 16), Buffer.from('user\0a\0user\0b\0\0')),
    ],
    [
      'bytes behind the last parameter',
      message('', int32(3 << 16), Buffer.from('user\0agent\0\0more')),
    ],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: db\r\n\r\n')],
    ['TLS, where there is none', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
    [
      'a request for TLS with something behind it',
      Buffer.concat([message('', int32(80_877_103)), message('', int32(3 << 16))]),
    ],
  ])('a start with %s is refused', async (_, bytes) => {
    const client = await open()
    client.send(bytes)
    const received = await rest(client)
    expect(received).toHaveLength(1)
    expect(received[0]).toMatch(/^E (08P01|0A000)$/)
  })

  test('a client that leaves before it has begun is told nothing, as by the server', async () => {
    const client = await open()
    client.send(message('X'))
    expect(await rest(client)).toEqual([])
  })

  test('replication, and a second start-up message, are refused', async () => {
    const client = await open()
    client.start({ user: 'agent', database: db.database, replication: 'database' })
    expect(await rest(client)).toEqual(['E 42501'])
    const again = await logIn()
    again.start({ user: 'postgres', database: db.database })
    expect(await rest(again)).toEqual(['E 08P01'])
  })

  test('protocol 3.2 is spoken, newer ones are negotiated, with keys of 32 bytes', async () => {
    const key = (received: Awaited<ReturnType<WireClient['logIn']>>) =>
      received.find(({ type }) => type === 'K')!.body.length - 4
    expect(key(await (await open()).logIn(db.database, token))).toBe(4)
    const newer = await (await open()).logIn(db.database, token, (3 << 16) | 2)
    expect(shown(newer)).not.toContain('v')
    expect(key(newer)).toBe(32)
    const newest = await (await open()).logIn(db.database, token, (3 << 16) | 9999)
    expect(newest[0]).toMatchObject({
      type: 'v',
      body: Buffer.concat([int32((3 << 16) | 2), int32(0)]),
    })
    expect(shown(newest).at(-1)).toBe('Z I')
    const options = await open()
    options.start({ user: 'agent', database: db.database, '_pq_.wish': '1' })
    expect(await options.next()).toMatchObject({ type: 'v' })
  })

  test.each([
    ['an unknown type', Buffer.from('!\0\0\0\x04')],
    ['a length below four', Buffer.from([0x51, 0, 0, 0, 3])],
    ['a length beyond every limit', Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff])],
    [
      'a negative length of a value',
      message('B', cstring(''), cstring(''), int16(0), int16(1), int32(-2), int16(0)),
    ],
    [
      'a value that is cut off',
      message('B', cstring(''), cstring(''), int16(0), int16(1), int32(9), int16(0)),
    ],
    ['a text without its end', message('Q', Buffer.from('SELECT 1'))],
    ['something behind the text', message('Q', Buffer.from('SELECT 1\0SELECT 2\0'))],
    ['a body where none belongs', message('S', Buffer.from('x'))],
    ['a password that nobody asked for', message('p', cstring('again'))],
  ])('a message with %s ends the connection, and nothing of it runs', async (_, bytes) => {
    const client = await logIn()
    client.send(
      parse('', 'SELECT id FROM orders WHERE id = 1'),
      bytes,
      bind('', ''),
      execute(''),
      sync,
    )
    const received = await rest(client)
    expect(received.at(-1)).toMatch(/^E (08P01|54000)$/)
    expect(received).not.toContain('C SELECT 1')
  })

  test('a statement inside of a value stays a value (CVE-2024-27304)', async () => {
    const client = await logIn()
    // What an overflow in a client would do: the rest of a long value is read as messages.
    const value = Buffer.concat([query('DROP TABLE orders'), Buffer.alloc(70_000, 0x20)])
    client.send(
      parse('', 'SELECT length($1::text) AS n FROM orders LIMIT 1'),
      message(
        'B',
        cstring(''),
        cstring(''),
        int16(0),
        int16(1),
        int32(value.length),
        value.fill(0x41, 0, 4),
        int16(0),
      ),
      execute(''),
      sync,
    )
    const received = shown(await client.until('Z'))
    expect(received.at(-1)).toBe('Z I')
    // And as messages of their own they are judged.
    client.send(query('DROP TABLE orders'))
    expect(shown(await client.until('Z'))).toEqual(['E 42501', 'Z I'])
  })

  test('whatever bytes come, cut wherever, neighbours are not disturbed', async () => {
    const neighbour = await logIn()
    const seed = randomBytes(4).readUInt32BE()
    let state = seed
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state % below
    }
    const good = [
      query('SELECT id FROM orders WHERE id = 1'),
      parse('', 'SELECT id FROM orders'),
      bind('', ''),
      execute(''),
      sync,
    ]
    for (let i = 0; i < 40; i++) {
      const client = await logIn()
      const bytes = Buffer.concat(Array.from({ length: 6 }, () => good[random(good.length)]!))
      for (let flips = random(4); flips > 0; flips--) bytes[random(bytes.length)] = random(256)
      for (let at = 0; at < bytes.length;) {
        const size = 1 + random(30)
        client.send(bytes.subarray(at, at + size))
        at += size
      }
      client.send(message('X'))
      client.socket.end()
      await client.until('never')
    }
    neighbour.send(query('SELECT id FROM orders WHERE id = 1'))
    expect(shown(await neighbour.until('Z')), `seed ${seed}`).toEqual([
      'T',
      'D',
      'C SELECT 1',
      'Z I',
    ])
    const { rows } = await db.direct.query('SELECT count(*)::int AS n FROM orders')
    expect(rows, `seed ${seed}`).toEqual([{ n: 200 }])
  })
})
