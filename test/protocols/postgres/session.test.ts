import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import pg from 'pg'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - name: agents-read
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select, declare, execute], tables: [public.customers, public.orders] } }
    then: allow
  - name: agents-write-orders
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select, insert, update], tables: [public.orders, public.customers] } }
    then: allow
  - name: no-more-than-that
    who: { group: agents }
    on: orders
    what: { sql: { verb: [truncate] } }
    then: deny
`

/** What became of the agent's actions, by summary. */
async function outcomes(db: DatabaseGateway, ...summaries: string[]): Promise<unknown[]> {
  for (;;) {
    const events = (await db.gateway.auditLog()).map((line) => JSON.parse(line) as AuditEvent)
    const found = summaries.map((summary) => {
      const decided = events.find((event) => event.details?.summary === summary)
      const id = decided?.action?.id
      return events.find((event) => event.type === 'action.completed' && event.action?.id === id)
    })
    if (found.every(Boolean)) return found.map((event) => event!.outcome)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

interface AuditEvent {
  readonly type: string
  readonly action?: { readonly id: string }
  readonly details?: { readonly summary?: string }
  readonly outcome?: unknown
}

describe.runIf(hasPostgres)('a session', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  test('answers an allowed SELECT', async () => {
    const client = await db.connect()
    const { rows } = await client.query('SELECT id, name FROM customers WHERE id = $1', [7])
    expect(rows).toEqual([{ id: 7, name: 'customer 7' }])
    expect((await client.query('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: 200 }])
  })

  test('passes on what the server says while it is logged in to', async () => {
    const client = new pg.Client({ ...(await db.config()), application_name: 'x'.repeat(65) })
    onTestFinished(() => client.end())
    const notices: (string | undefined)[] = []
    client.on('notice', ({ message }) => notices.push(message))
    await client.connect()
    const kept = 'x'.repeat(63)
    expect(notices).toEqual([`identifier "${kept}xx" will be truncated to "${kept}"`])
    expect((await client.query('SHOW application_name')).rows).toEqual([{ application_name: kept }])
  })

  test('denies what no rule allows, says why, and goes on', async () => {
    const client = await db.connect()
    const error = await failureOf(client.query('DROP TABLE orders'))
    expect(error).toMatchObject({ code: '42501', severity: 'ERROR' })
    expect(error.message).toMatch(/^denied by policy: No rule covers this action/)
    expect(error.detail).toMatch(/^Reason: no-rule-matched\. Action: [0-9a-f-]{36}\.$/)
    const again = await failureOf(client.query('TRUNCATE orders'))
    expect(again.detail).toMatch(/^Rule: no-more-than-that\. /)
    expect((await client.query('SELECT 1 AS one FROM orders LIMIT 1')).rows).toEqual([{ one: 1 }])
  })

  test('denies inside of a transaction, which has failed then, as after any error', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await client.query('INSERT INTO orders VALUES (1000, 1, 1)')
    await failureOf(client.query('DROP TABLE orders'))
    const next = await failureOf(client.query('SELECT * FROM orders'))
    expect(next.code).toBe('25P02')
    expect((await client.query('COMMIT')).command).toBe('ROLLBACK')
    expect((await client.query('SELECT * FROM orders WHERE id = 1000')).rows).toEqual([])
    expect((await db.direct.query('SELECT count(*)::int AS n FROM orders')).rows[0]).toEqual({
      n: 200,
    })
  })

  test('denies in a prepared statement, with its values, and the pipeline behind it is skipped', async () => {
    const client = await db.connect()
    const error = await failureOf(client.query('DELETE FROM orders WHERE id = $1', [1]))
    expect(error.code).toBe('42501')
    expect((await client.query('SELECT id FROM orders WHERE id = $1', [1])).rows).toEqual([
      { id: 1 },
    ])
  })

  test('decides a text with several statements as a whole', async () => {
    const client = await db.connect()
    const error = await failureOf(
      client.query('INSERT INTO orders VALUES (1001, 1, 1); DELETE FROM orders'),
    )
    expect(error.code).toBe('42501')
    expect((await client.query('SELECT * FROM orders WHERE id = 1001')).rows).toEqual([])
    const both = await client.query(
      'SELECT 1 AS a FROM orders LIMIT 1; SELECT 2 AS b FROM orders LIMIT 1',
    )
    expect((both as unknown as pg.QueryResult[]).map(({ rows }) => rows as unknown)).toEqual([
      [{ a: 1 }],
      [{ b: 2 }],
    ])
  })

  test('a prepared statement is judged each time, under its name', async () => {
    const client = await db.connect()
    for (const id of [3, 4]) {
      const { rows } = await client.query({
        name: 'one',
        text: 'SELECT id FROM orders WHERE id = $1',
        values: [id],
      })
      expect(rows).toEqual([{ id }])
    }
  })

  test('SQL cursors and prepared statements work', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await client.query('DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id')
    expect((await client.query('FETCH 2 FROM c')).rows).toEqual([{ id: 1 }, { id: 2 }])
    expect((await client.query('FETCH 1 FROM c')).rows).toEqual([{ id: 3 }])
    await client.query('COMMIT')
    await client.query('PREPARE p(int) AS SELECT id FROM orders WHERE id = $1')
    expect((await client.query('EXECUTE p(9)')).rows).toEqual([{ id: 9 }])
    await client.query('PREPARE d(int) AS DELETE FROM orders WHERE id = $1')
    expect((await failureOf(client.query('EXECUTE d(9)'))).code).toBe('42501')
    expect((await failureOf(client.query({ name: 'd', text: 'SELECT 1' }))).code).toBe('42P05')
  })

  test('a write has succeeded when its transaction has been committed, and failed when it was rolled back', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await client.query('INSERT INTO orders VALUES (2001, 1, 1)')
    await client.query('SAVEPOINT s')
    await client.query('INSERT INTO orders VALUES (2002, 1, 1)')
    await client.query('ROLLBACK TO s')
    await client.query('INSERT INTO orders VALUES (2003, 1, 1)')
    await client.query('COMMIT')
    await client.query('BEGIN')
    await client.query('UPDATE orders SET total = 7 WHERE id < 11')
    await client.query('ROLLBACK')
    expect(
      await outcomes(
        db,
        'INSERT INTO orders VALUES (2001, 1, 1)',
        'INSERT INTO orders VALUES (2002, 1, 1)',
        'INSERT INTO orders VALUES (2003, 1, 1)',
        'UPDATE orders SET total = 7 WHERE id < 11',
      ),
    ).toMatchObject([
      { result: 'succeeded', rows: 1 },
      { result: 'failed', error: 'rolled-back' },
      { result: 'succeeded', rows: 1 },
      { result: 'failed', rows: 10, error: 'rolled-back' },
    ])
  })

  test('says how many rows and bytes a read returned', async () => {
    const client = await db.connect()
    await client.query('SELECT id FROM orders WHERE id <= 100')
    expect(await outcomes(db, 'SELECT id FROM orders WHERE id <= 100')).toMatchObject([
      { result: 'succeeded', rows: 100, bytes: 1292 },
    ])
    await failureOf(client.query('SELECT 1/0 FROM orders'))
    expect(await outcomes(db, 'SELECT 1/0 FROM orders')).toMatchObject([
      { result: 'failed', error: '22012' },
    ])
  })

  test('has no credential of the database, and shows none', async () => {
    const client = await db.connect()
    const { rows } = await client.query('SHOW ALL')
    expect(JSON.stringify(rows)).not.toContain('never-seen-by-agents')
    expect(db.gateway.logged()).not.toContain('never-seen-by-agents')
  })

  test('is refused with a bad token, in the words of PostgreSQL', async () => {
    const client = new pg.Client({ ...(await db.config()), password: 'not-a-token' })
    const error = await failureOf(client.connect())
    expect(error).toMatchObject({ code: '28P01', severity: 'FATAL' })
    const elsewhere = new pg.Client({ ...(await db.config()), database: 'postgres' })
    expect((await failureOf(elsewhere.connect())).code).toBe('3D000')
  })

  test('is only watched where the resource is observed: what would be denied runs, and is on record as that', async () => {
    const watched = await startDatabase({ policies, resource: 'mode: observe' })
    onTestFinished(() => watched.close())
    const client = await watched.connect()
    await client.query('DELETE FROM orders WHERE id = 1')
    expect((await watched.direct.query('SELECT 1 FROM orders WHERE id = 1')).rowCount).toBe(0)
    const events = (await watched.gateway.auditLog()).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    )
    expect(events.find(({ decision }) => decision === 'deny')).toMatchObject({ enforced: false })
  })

  test('what cannot be read is not run', async () => {
    const client = await db.connect()
    expect(await failureOf(client.query('SELEC 1'))).toMatchObject({ code: '42601', position: '1' })
    expect((await client.query('SELECT 1 AS one FROM orders LIMIT 1')).rows).toEqual([{ one: 1 }])
  })
})
