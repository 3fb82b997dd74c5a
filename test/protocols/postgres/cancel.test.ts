import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { int32, message } from '../../../src/protocols/postgres/wire/messages.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - { name: agents-work, who: { group: agents }, on: orders, then: allow }
`

describe.runIf(hasPostgres)('a cancel request', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  async function cancel(client: pg.Client): Promise<void> {
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
    const socket = connect(db.port, '127.0.0.1')
    socket.end(message('', int32(80_877_102), int32(processID), int32(secretKey)))
    await new Promise((resolve) => socket.once('close', resolve))
  }

  test('takes back what has come, and waits for its record: it never runs', async () => {
    const client = await db.connect()
    await client.query('SELECT 1')
    const store = new pg.Client({ connectionString: db.gateway.databaseUrl! })
    await store.connect()
    await store.query('BEGIN; LOCK TABLE sallyport.audit_events IN EXCLUSIVE MODE')
    const inserting = failureOf(client.query('INSERT INTO orders VALUES (5000, 1, 1)'))
    const waiters = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'sallyport.audit_events'::regclass`
    while ((await store.query(waiters)).rowCount === 0);
    await cancel(client)
    await store.query('ROLLBACK')
    await store.end()
    expect(await inserting).toMatchObject({ code: '57014', severity: 'ERROR' })
    expect((await client.query('SELECT FROM orders WHERE id = 5000')).rowCount).toBe(0)
  })

  test('of a client that has nothing to take back does nothing', async () => {
    const client = await db.connect()
    await client.query('SELECT 1')
    await cancel(client)
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })
})
