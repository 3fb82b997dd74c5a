import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - name: small-changes
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select, delete] } }
    when: impact.rows <= 10
    then: allow
  - name: large-deletions-need-a-lead
    who: { group: agents }
    on: orders
    what: { sql: { verb: delete } }
    when: impact.rows > 10
    then: hold
    approval: { from: { group: support-leads }, expires: 5m }
`

describe.runIf(hasPostgres)('a rule about how many rows a statement would touch', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
    await db.direct.query('CREATE TABLE many (id int PRIMARY KEY)')
    await db.direct.query('INSERT INTO many SELECT generate_series(1, 500)')
    await db.direct.query('ANALYZE many')
  })
  afterAll(() => db.close())

  test('lets a small change through, with its values', async () => {
    const client = await db.connect()
    expect((await client.query('DELETE FROM many WHERE id = 1')).rowCount).toBe(1)
    expect((await client.query('DELETE FROM many WHERE id = $1', [2])).rowCount).toBe(1)
  })

  test('holds a large one, shows the approver how large, and is reviewed by the same number', async () => {
    const client = await db.connect()
    const deleting = client.query('DELETE FROM many WHERE id > 10')
    const approval = await db.gateway.pending()
    expect(approval).toMatchObject({ impact: { rows: 490 } })
    expect((await db.gateway.vote('dana', approval)).status).toBe(200)
    expect((await deleting).rowCount).toBe(490)
  })

  test('refuses what nobody can estimate', async () => {
    const client = await db.connect()
    const failure = await failureOf(
      client.query('DELETE FROM many WHERE id = pg_sleep(0)::text::int'),
    )
    expect(failure.code).toBe('42501')
    const several = await failureOf(client.query('DELETE FROM many; DELETE FROM many'))
    expect(several.code).toBe('42501')
  })
})

describe.runIf(hasPostgres)('rows that are counted by a run that is rolled back', () => {
  const counting = `rules:
  - name: small-deletions
    on: orders
    what: { sql: { verb: [delete] } }
    when: impact.exact_rows <= 10
    then: allow
`

  test('stay where they are, also when the connection breaks before it: none is counted on another', async () => {
    const db = await startDatabase({ policies: counting })
    onTestFinished(() => db.close())
    const client = await db.connect()
    expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1)
    expect((await failureOf(client.query('DELETE FROM orders'))).code).toBe('42501')
    // The server ends every transaction that does not go on at once.
    await db.direct.query(
      `ALTER DATABASE ${db.database} SET idle_in_transaction_session_timeout = '1ms'`,
    )
    await db.direct.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sallyport' AND datname = current_database()`,
    )
    for (let i = 0; i < 5; i++)
      expect((await failureOf(client.query('DELETE FROM orders'))).code).toBe('42501')
    const { rows } = await db.direct.query('SELECT count(*)::int AS n FROM orders')
    expect(rows).toEqual([{ n: 199 }])
  })
})
