import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  failureOf,
  hasPostgres,
  startDatabase,
  type DatabaseGateway,
} from '../protocols/postgres/database.ts'

const policies = `rules:
  - { name: agents-read, on: orders, what: { sql: { verb: [select] } }, then: allow }
  - name: a-hundred-customers-a-day
    on: orders
    what: { sql: { tables: [customers] } }
    when: 'usage.rows(subject, "customers", "24h") >= 100'
    then: hold
    reason: BULK_READ
    approval: { from: { group: support-leads }, expires: 10m }
  - name: no-more-than-two-hundred
    on: orders
    when: 'usage.rows(subject, "class:pii", "24h") >= 200'
    then: deny
    reason: BULK_READ
  - name: a-first-look-needs-somebody
    who: { subject: newcomer }
    on: orders
    what: { sql: { tables: [orders, customers] } }
    when: 'usage.first(subject, "customers") && usage.first(subject, "orders")'
    then: hold
    approval: { from: { group: support-leads }, expires: 10m }
`

const config = `datasets:
  - name: customers
    classes: [pii]
    tables: [{ on: orders, table: public.customers }]
  - name: orders
    tables: [{ on: orders, table: public.orders }]
  - name: emails
    classes: [pii]
    tables: [{ on: orders, table: public.customers, columns: [email] }]
`

describe.skipIf(!hasPostgres)('budgets of rows in a database', () => {
  let db: DatabaseGateway

  beforeAll(async () => {
    db = await startDatabase({ policies, config })
    await db.direct.query('CREATE VIEW people AS SELECT name FROM customers')
  })
  afterAll(() => db.close())

  const completed = async () => {
    const answer = await db.gateway.person('dana', '/api/audit/events?type=action.completed')
    const { events } = (await answer.json()) as { events: Record<string, unknown>[] }
    return events
  }

  test('what was read counts at once, whichever way it is read; over the budget it is held, and then denied', async () => {
    const client = await db.connect({ sub: 'reader' })
    // Fifty each: by name, and through a view.
    expect((await client.query('SELECT name FROM customers')).rows).toHaveLength(50)
    expect((await client.query('SELECT * FROM people')).rows).toHaveLength(50)
    const third = client.query('SELECT id FROM customers')
    const approval = await db.gateway.pending()
    expect(approval).toMatchObject({
      reason: 'BULK_READ',
      usage: { 'rows customers 24h': 100, 'rows class:pii 24h': 100 },
      data: { datasets: ['customers'], classes: ['pii'] },
      first_use: [],
    })
    await db.gateway.vote('dana', approval)
    expect((await third).rows).toHaveLength(50)
    // What is no customer is not held, and counts for nothing.
    expect((await client.query('SELECT * FROM orders')).rows).toHaveLength(200)
    const fourth = client.query('SELECT email FROM customers')
    await db.gateway.vote('dana', await db.gateway.pending())
    expect((await fourth).rows).toHaveLength(50)
    const denied = await failureOf(client.query('SELECT 1 FROM orders'))
    expect(denied).toMatchObject({
      code: '42501',
      message: expect.stringContaining('no-more-than-two-hundred'),
    })

    const other = await db.connect({ sub: 'another-reader' })
    expect((await other.query('SELECT id FROM customers')).rows).toHaveLength(50)
  })

  test('inside a transaction it counts as well, and what people deny does not run', async () => {
    const client = await db.connect({ sub: 'careful-reader' })
    await client.query('BEGIN')
    await client.query('SELECT id FROM customers')
    await client.query('SELECT id FROM customers')
    const third = failureOf(client.query('SELECT id FROM customers'))
    const approval = await db.gateway.pending()
    await db.gateway.vote('dana', approval, 'deny', { reason: 'enough for today' })
    expect(await third).toMatchObject({ code: '42501' })
    await client.query('ROLLBACK')
  })

  test('a first look is held, and the one who decides is told what is new', async () => {
    const client = await db.connect({ sub: 'newcomer' })
    const first = client.query('SELECT total FROM orders')
    const approval = await db.gateway.pending()
    expect(approval).toMatchObject({
      first_use: ['dataset orders', 'table public.orders'],
      usage: { 'first customers': true, 'first orders': true },
    })
    await db.gateway.vote('dana', approval)
    expect((await first).rows).toHaveLength(200)
    expect((await client.query('SELECT total FROM orders LIMIT 1')).rows).toHaveLength(1)
  })

  test('what was touched is on record, by its tables, columns, data sets and classes', async () => {
    const client = await db.connect({ sub: 'recorded-reader' })
    await client.query('SELECT email FROM customers LIMIT 3')
    await expect
      .poll(async () => (await completed())[0], { timeout: 60_000 })
      .toMatchObject({
        outcome: { result: 'succeeded', rows: 3 },
        usage: {
          tables: ['public.customers'],
          columns: ['public.customers.email'],
          datasets: ['customers', 'emails'],
          classes: ['pii'],
        },
      })
    const found = await db.gateway.person('dana', '/api/audit/events?dataset=emails')
    const { events } = (await found.json()) as { events: unknown[] }
    // The fourth statement of the first test, and this one: decided, sent and ended.
    expect(events.length).toBeGreaterThanOrEqual(4)
  })
})
