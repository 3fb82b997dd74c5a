import type { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PersonName } from '../../support/gateway-client.ts'
import { PolicyFile } from '../../e2e/policy-file.ts'
import { sallyport } from '../../support/terminal.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const deletes = `
  - name: deletes-need-a-lead
    who: { group: agents }
    on: orders
    what: { sql: { verb: delete, tables: [public.orders] } }
    then: hold
    approval:
      from: { group: support-leads }
      scope: [once, { session: true, match: [sql.shape] }]`

const policies = `rules:${deletes}
  - name: names-need-a-lead
    who: { group: agents }
    on: orders
    what: { sql: { verb: update, tables: [public.customers] } }
    then: hold
    approval: { from: { group: support-leads }, scope: [once, { session: true }] }`

describe.runIf(hasPostgres)('approved for this session', () => {
  let db: DatabaseGateway
  let file: PolicyFile
  let original: string
  let order = 0

  beforeAll(async () => {
    db = await startDatabase({ policies, config: 'hold: { in_transaction_max: 1s }' })
    file = new PolicyFile(db.gateway, 'rules.yaml')
    original = await file.inForce()
  })
  beforeEach(() => file.restore(policies, original))
  afterAll(() => db.close())

  const next = () => `DELETE FROM orders WHERE id = ${++order}`

  /** Deletes an order, and somebody approves that for the session. */
  async function granted(client: Client, by: PersonName = 'dana') {
    const deleting = client.query(next())
    const approval = await db.gateway.pending()
    const vote = await db.gateway.vote(by, approval, 'approve', { scope: { session: true } })
    expect(vote.status).toBe(200)
    expect((await deleting).rowCount).toBe(1)
    return approval
  }

  /** It waits for people, and takes that back. */
  async function asks(client: Client, sql: string) {
    const waiting = failureOf(client.query(sql))
    const approval = await db.gateway.pending()
    await db.gateway.vote('dana', approval, 'deny')
    expect(await waiting).toMatchObject({ code: '42501' })
    return approval
  }

  test('the next statement that is alike runs without asking, in a transaction too', async () => {
    const client = await db.connect()
    const approval = await granted(client)
    expect(approval).toHaveProperty('scope_options', [
      'once',
      { session: true, minutes: 720, match: ['sql.shape'] },
    ])
    expect((await client.query(next())).rowCount).toBe(1)
    await client.query('BEGIN')
    expect((await client.query(next())).rowCount).toBe(1)
    await client.query('ROLLBACK')
  })

  test('an approver grants it in a terminal, which says what that covers', async () => {
    const client = await db.connect()
    const deleting = client.query(next())
    const { id } = await db.gateway.pending()
    const environment = {
      SALLYPORT_URL: db.gateway.controlUrl,
      SALLYPORT_TOKEN: await db.gateway.personToken('dana'),
    }
    const both = ['approvals', 'approve', id, '--session', '--minutes', '5', '--yes']
    expect(await sallyport(both, { environment })).toMatchObject({ code: 2 })
    const approve = ['approvals', 'approve', id, '--session', '--yes']
    const { code, notes } = await sallyport(approve, { environment })
    expect(code, notes).toBe(0)
    expect(notes).toMatch(
      /may grant +until this session ends, and for up to 720 minutes: .*sql\.shape/,
    )
    await deleting
    expect((await client.query(next())).rowCount).toBe(1)
  })

  test('anything else in the session asks', async () => {
    const client = await db.connect()
    await granted(client)
    await asks(client, 'DELETE FROM orders WHERE customer = 1')
    await asks(client, 'DELETE FROM orders')
    await asks(client, "UPDATE customers SET name = 'x' WHERE id = 1")
  })

  test('only the very same statement runs, where the rule names nothing that is alike', async () => {
    const client = await db.connect()
    const sql = "UPDATE customers SET name = 'Ada' WHERE id = 1"
    const updating = client.query(sql)
    const approval = await db.gateway.pending()
    await db.gateway.vote('dana', approval, 'approve', { scope: { session: true } })
    await updating
    expect((await client.query(sql)).rowCount).toBe(1)
    await asks(client, "UPDATE customers SET name = 'Eve' WHERE id = 1")
  })

  test('what the names stand for is another thing: it asks again (class 11)', async () => {
    const { direct } = db
    const client = await db.connect()
    await granted(client)
    await direct.query(`
      CREATE FUNCTION empties() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; RETURN OLD; END';
      CREATE TRIGGER empties BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION empties()`)
    await asks(client, next())
    await direct.query('DROP TRIGGER empties ON orders; DROP FUNCTION empties')
    expect((await client.query(next())).rowCount).toBe(1)
  })

  test('each run is on record, with its intent before and its outcome after', async () => {
    const client = await db.connect()
    const { id } = await granted(client)
    await client.query(next())
    const told = async () =>
      (await db.gateway.auditLog())
        .map((line) => JSON.parse(line) as { approval: string | null; type: string })
        .filter(({ approval }) => approval === id)
        .map(({ type }) => type)
        .filter((type) => type.startsWith('action.') || type === 'approval.granted')
    await expect
      .poll(async () => (await told()).filter((type) => type === 'action.completed').length)
      .toBe(2)
    expect((await told()).filter((type) => type === 'action.dispatched')).toHaveLength(2)
    expect((await told()).filter((type) => type === 'approval.granted')).toHaveLength(1)
  })

  test('another connection of the same agent asks, also after the first is gone (class 12)', async () => {
    const client = await db.connect()
    await granted(client)
    const another = await db.connect()
    await asks(another, next())
    await client.end()
    await asks(another, next())
    await asks(await db.connect(), next())
  })

  test('another agent, or the same for another person, asks (class 12)', async () => {
    await granted(await db.connect())
    await asks(await db.connect({ sub: 'other-agent' }), next())
    await asks(await db.connect({ agent_owner: 'omar' }), next())
  })

  test.each([
    ['offers it no more', deletes.replace(', { session: true, match: [sql.shape] }', '')],
    ['wants more to be the same', deletes.replace('[sql.shape]', '[sql.shape, sql.verb]')],
    ['asks somebody else', deletes.replace('support-leads', 'data-owners')],
  ])('asks once the rule %s (class 16)', async (_what, changed) => {
    const client = await db.connect()
    await granted(client)
    await file.change(`rules:${changed}`)
    const waiting = failureOf(client.query(next()))
    const approval = await db.gateway.pending()
    await db.gateway.vote(changed.includes('data-owners') ? 'omar' : 'dana', approval, 'deny')
    expect(await waiting).toMatchObject({ code: '42501' })
  })
})
