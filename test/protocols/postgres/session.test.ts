import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - name: agents-read
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select], tables: [public.customers, public.orders] } }
    then: allow
  - name: agents-write-orders
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select, insert, update], tables: [public.orders, public.customers] } }
    then: allow
`

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

  test('denies a DROP, and goes on', async () => {
    const client = await db.connect()
    const error = await failureOf(client.query('DROP TABLE orders'))
    expect(error).toMatchObject({ code: '42501', severity: 'ERROR' })
    expect((await client.query('SELECT 1 AS one FROM customers LIMIT 1')).rows).toEqual([
      { one: 1 },
    ])
  })
})
