import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  bind,
  close,
  cstring,
  execute,
  flush,
  int16,
  int32,
  message,
  parse,
  query,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { openWire, shown, WireClient } from './wire-client.ts'

const policies = `rules:
  - name: agents-work
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select, insert, update, declare], tables: [public.customers, public.orders] } }
    then: allow
  - name: agents-hash
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select], tables: [public.orders], functions: [pg_catalog.md5] } }
    then: allow
`

interface AuditEvent {
  readonly type: string
  readonly action?: { readonly id: string }
  readonly details?: { readonly summary?: string }
  readonly outcome?: Record<string, unknown>
}

const describePortal = (name: string): Buffer => message('D', Buffer.from('P'), cstring(name))

describe.runIf(hasPostgres)('a pipeline', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  const open = () => openWire(db)

  /** What became of the action with this summary. */
  async function outcomeOf(summary: string): Promise<unknown> {
    const events = (await db.gateway.auditLog()).map((line) => JSON.parse(line) as AuditEvent)
    const id = events.find(({ details }) => details?.summary === summary)?.action?.id
    return events.find(({ type, action }) => type === 'action.completed' && action?.id === id)
      ?.outcome
  }

  const run = (name: string, text: string): Buffer[] => [
    parse(name, text),
    bind('', name),
    execute(''),
  ]

  test('with a denied statement in the middle: what is before it stands, what is behind it is skipped', async () => {
    const client = await open()
    client.send(
      ...run('', 'SELECT id FROM orders WHERE id = 1'),
      ...run('', 'DELETE FROM orders WHERE id = 1'),
      ...run('', 'SELECT id FROM orders WHERE id = 2'),
      sync,
      ...run('', 'SELECT id FROM orders WHERE id = 3'),
      sync,
    )
    expect(shown(await client.until('Z'))).toEqual([
      '1',
      '2',
      'D',
      'C SELECT 1',
      '1',
      'E 42501',
      'Z I',
    ])
    expect(shown(await client.until('Z'))).toEqual(['1', '2', 'D', 'C SELECT 1', 'Z I'])
  })

  test('undoes the implicit transaction that a denial breaks', async () => {
    const client = await open()
    client.send(
      ...run('', 'INSERT INTO orders VALUES (5000, 1, 1)'),
      ...run('', 'DROP TABLE orders'),
      sync,
      query('SELECT id FROM orders WHERE id = 5000'),
    )
    expect(shown(await client.until('Z'))).toEqual([
      '1',
      '2',
      'C INSERT 0 1',
      '1',
      'E 42501',
      'Z I',
    ])
    expect(shown(await client.until('Z'))).toEqual(['T', 'C SELECT 0', 'Z I'])
  })

  test('a name keeps its old meaning when the Parse that would change it is skipped', async () => {
    const client = await open()
    client.send(parse('s', 'DELETE FROM orders WHERE id = 9'), sync)
    await client.until('Z')
    // The second Parse never happens: the server's `s` is the DELETE still, and must not run with the SELECT's verdict.
    client.send(
      ...run('x', 'SELECT 1/0 FROM orders'),
      message('C', Buffer.from('S'), cstring('s')),
      parse('s', 'SELECT id FROM orders WHERE id = 9'),
      sync,
      bind('', 's'),
      execute(''),
      sync,
    )
    const first = shown(await client.until('Z'))
    expect(first.slice(-2)).toEqual(['E 22012', 'Z I'])
    expect(shown(await client.until('Z'))).toEqual(['E 42501', 'Z I'])
    expect((await db.direct.query('SELECT 1 FROM orders WHERE id = 9')).rowCount).toBe(1)
  })

  test('an error that comes up while the next statement is decided skips that one', async () => {
    const client = await open()
    // The intent of the INSERT has to be durable first: by then the error is there.
    client.send(
      ...run('', 'SELECT 1/0 FROM orders'),
      flush,
      ...run('', 'INSERT INTO orders VALUES (5001, 1, 1)'),
      sync,
      ...run('', 'SELECT id FROM orders WHERE id = 5001'),
      sync,
    )
    expect(shown(await client.until('Z')).slice(-2)).toEqual(['E 22012', 'Z I'])
    expect(shown(await client.until('Z'))).toEqual(['1', '2', 'C SELECT 0', 'Z I'])
  })

  test('a name that nobody announced is refused, whatever the server knows', async () => {
    const client = await open()
    client.send(bind('', 'nobody'), execute(''), sync, execute('nobody'), sync)
    expect(shown(await client.until('Z'))).toEqual(['E 26000', 'Z I'])
    expect(shown(await client.until('Z'))).toEqual(['E 34000', 'Z I'])
  })

  test('gives rows in portions, each under the verdict of its portal', async () => {
    const client = await open()
    const some = message('E', cstring('p'), int32(2))
    client.send(
      query('BEGIN'),
      parse('', 'SELECT id FROM orders ORDER BY id LIMIT 5'),
      bind('p', ''),
      describePortal('p'),
      some,
      flush,
    )
    expect(shown(await client.until('s'))).toEqual(['C BEGIN', 'Z T', '1', '2', 'T', 'D', 'D', 's'])
    client.send(some, sync)
    expect(shown(await client.until('Z'))).toEqual(['D', 'D', 's', 'Z T'])
    client.send(some, sync, query('COMMIT'))
    expect(shown(await client.until('Z'))).toEqual(['D', 'C SELECT 1', 'Z T'])
    expect(shown(await client.until('Z'))).toEqual(['C COMMIT', 'Z I'])
  })

  test('a portal by the name of a cursor that was closed is read by FETCH as what it is, and on record', async () => {
    const client = await open()
    const declare = query('DECLARE c CURSOR FOR SELECT id FROM orders')
    client.send(query('BEGIN'), declare)
    await client.until('Z')
    await client.until('Z')
    const update = 'UPDATE orders SET total = 77 WHERE id = 77 RETURNING id'
    client.send(close('P', 'c'), parse('', update), bind('c', ''), sync)
    expect(shown(await client.until('Z'))).toEqual(['3', '1', '2', 'Z T'])
    client.send(query('FETCH ALL FROM c'), query('COMMIT'))
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C FETCH 1', 'Z T'])
    await client.until('Z')
    await expect.poll(() => outcomeOf(update)).toMatchObject({ result: 'succeeded', rows: 1 })
    // A FETCH that was bound before reads neither.
    client.send(query('BEGIN'), declare)
    await client.until('Z')
    await client.until('Z')
    client.send(
      parse('fetch', 'FETCH ALL FROM c'),
      bind('later', 'fetch'),
      ...[close('P', 'c'), parse('', update), bind('c', ''), execute('later'), sync],
    )
    expect(shown(await client.until('Z'))).toEqual(['1', '2', '3', '1', '2', 'E 55000', 'Z E'])
  })

  test('a portal that writes, and is not read to its end, has failed when it is rolled back', async () => {
    const client = await open()
    const update = 'UPDATE orders SET total = 78 WHERE id > 78 RETURNING id'
    const one = message('E', cstring('p'), int32(1))
    client.send(query('BEGIN'), parse('', update), bind('p', ''), one, sync, query('ROLLBACK'))
    for (let i = 0; i < 3; i++) await client.until('Z')
    await expect.poll(() => outcomeOf(update)).toMatchObject({ result: 'failed' })
  })

  test('a portal is not read by a FETCH that was bound before it, either', async () => {
    const all = await startDatabase({
      policies: 'rules:\n  - { name: all, on: orders, then: allow }\n',
    })
    onTestFinished(() => all.close())
    const client = await WireClient.open(all.port)
    onTestFinished(() => void client.socket.destroy())
    await client.logIn(all.database, await all.gateway.agentToken())
    client.send(query('BEGIN'), parse('', 'FETCH ALL FROM mine'), bind('later', ''))
    client.send(parse('', 'UPDATE orders SET total = 2 RETURNING total'), bind('mine', ''))
    client.send(execute('later'), sync)
    await client.until('Z')
    expect(shown(await client.until('Z'))).toEqual(['1', '2', '1', '2', 'E 34000', 'Z E'])
  })

  test('the rows of a cursor belong to the action that declared it, by whichever protocol they are fetched', async () => {
    const client = await open()
    const declare = 'DECLARE c CURSOR FOR SELECT id FROM orders WHERE id < 31'
    client.send(query('BEGIN'), query(declare))
    client.send(...run('', 'FETCH 10 FROM c'), sync, query('FETCH 10 FROM c'), query('COMMIT'))
    for (let i = 0; i < 5; i++) await client.until('Z')
    await expect.poll(() => outcomeOf(declare)).toMatchObject({ result: 'succeeded', rows: 20 })
  })

  test('a Query behind a pipeline that failed is skipped up to the Sync', async () => {
    const client = await open()
    client.send(...run('', 'DROP TABLE orders'), query('SELECT 1'), sync)
    expect(shown(await client.until('Z'))).toEqual(['1', 'E 42501', 'Z I'])
  })

  test('of names for more text than anybody needs ends the session', async () => {
    const client = await open()
    const text = `SELECT 1 /* ${'x'.repeat(12 * 1024 * 1024)} */`
    client.send(parse('a', text), parse('b', text), parse('c', text), sync)
    expect(shown(await client.until('never')).at(-1)).toBe('E 53200')
  })

  test('of more reads than the store takes at once is recorded whole, and answered in order', async () => {
    const client = await open()
    const count = 3_000
    client.send(parse('one', 'SELECT name FROM customers WHERE id = 1'))
    for (let i = 0; i < count; i++) client.send(bind('', 'one'), execute(''))
    client.send(sync)
    const answers = shown(await client.until('Z'))
    expect(answers.filter((answer) => answer === 'C SELECT 1')).toHaveLength(count)
    expect(answers.at(-1)).toBe('Z I')
  })

  test('a function call is judged as the SELECT that does the same', async () => {
    const client = await open()
    const callOf = async (name: string, ...values: readonly string[]) => {
      const { rows } = await db.direct.query('SELECT $1::regprocedure::oid::int AS oid', [name])
      const args = values.map((value) => [int32(value.length), Buffer.from(value)])
      client.send(
        message(
          'F',
          int32((rows[0] as { oid: number }).oid),
          int16(0),
          int16(values.length),
          ...args.flat(),
          int16(0),
        ),
      )
      return client.until('Z')
    }
    const [value, ...rest] = await callOf('md5(text)', 'loud')
    expect(value!.type).toBe('V')
    expect(value!.body.toString('latin1', 4)).toBe('51edf3fe813196fe3e2f28e5240e71bf')
    expect(shown(rest)).toEqual(['Z I'])
    const [denied] = await callOf('lo_unlink(oid)', '1')
    expect(shown([denied!])).toEqual(['E 42501'])
    client.send(query('BEGIN'))
    await client.until('Z')
    client.send(message('F', int32(1), int16(0), int16(0), int16(0)))
    expect(shown(await client.until('Z'))).toEqual(['E 42883', 'Z E'])
    expect(shown(await callOf('md5(text)', 'loud'))).toEqual(['E 25P02', 'Z E'])
  })

  test('of postgres.js runs, with a denied statement among the allowed ones', async () => {
    const sql = postgres({
      host: '127.0.0.1',
      port: db.port,
      database: db.database,
      user: 'agent',
      pass: await db.gateway.agentToken(),
      max: 1,
      fetch_types: false,
    })
    onTestFinished(() => sql.end())
    const results = await Promise.allSettled([
      sql`SELECT id FROM orders WHERE id = ${1}`,
      sql`DELETE FROM orders WHERE id = ${1}`,
      sql`SELECT id FROM orders WHERE id = ${2}`,
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await sql.begin(async (tx) => {
      await tx`INSERT INTO orders VALUES (${6000}, 1, 1)`
      await tx`UPDATE orders SET total = 3 WHERE id = ${6000}`
    })
    expect([...(await sql`SELECT total FROM orders WHERE id = 6000`)]).toEqual([{ total: '3' }])
    const portions: number[] = []
    for await (const rows of sql`SELECT id FROM orders ORDER BY id LIMIT 10`.cursor(4))
      portions.push(rows.length)
    expect(portions).toEqual([4, 4, 2])
  })
})
