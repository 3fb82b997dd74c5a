import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
