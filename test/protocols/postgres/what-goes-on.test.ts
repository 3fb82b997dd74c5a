import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { query } from '../../../src/protocols/postgres/wire/messages.ts'
import { PolicyFile } from '../../e2e/policy-file.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { WireClient } from './wire-client.ts'

// What was allowed is no right to go on: a statement that takes its time ends with what allowed it.

const soon = { timeout: 60_000, interval: 50 }

const rules = 'rules:\n  - { name: agents-work, who: { group: agents }, on: orders, then: allow }\n'
const nobodyReads = (table: string) => `${rules}
  - { name: nobody-reads, on: orders, what: { sql: { tables: [public.${table}] } }, then: deny }
`

interface AuditEvent {
  readonly type: string
  readonly outcome?: Record<string, unknown>
}

describe.runIf(hasPostgres)('class 16: a statement that is under way when policies change', () => {
  let db: DatabaseGateway
  let file: PolicyFile
  let before: string
  beforeAll(async () => {
    db = await startDatabase({ policies: rules })
    file = new PolicyFile(db.gateway, 'rules.yaml')
    before = await file.inForce()
  })
  afterAll(() => db.close())

  /** What the server waits for in a statement with these words in it; `undefined` where it runs none. */
  async function waitsFor(words: string): Promise<string | null | undefined> {
    const { rows } = await db.direct.query<{ wait_event: string | null }>(
      "SELECT wait_event FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()",
      [`%${words}%`],
    )
    return rows[0]?.wait_event
  }

  /** A client that asks for more than anybody has room for, and does not read it. */
  async function startStream(words: string): Promise<WireClient> {
    const client = await WireClient.open(db.port)
    onTestFinished(() => void client.socket.destroy())
    await client.logIn(db.database, await db.gateway.agentToken())
    client.send(query(`SELECT repeat('${words}', 1000) FROM orders, orders b, orders c, orders d`))
    client.socket.pause()
    // Again and again: until everything in between is full, it goes on now and then.
    let stuck = 0
    const look = async () => (stuck = (await waitsFor(words)) === 'ClientWrite' ? stuck + 1 : 0)
    await expect.poll(look, soon).toBeGreaterThan(20)
    return client
  }

  async function outcomes(): Promise<unknown[]> {
    const events = (await db.gateway.auditLog()).map((line) => JSON.parse(line) as AuditEvent)
    return events.filter(({ type }) => type === 'action.completed').map(({ outcome }) => outcome)
  }

  async function change(text: string): Promise<void> {
    onTestFinished(() => file.restore(rules, before))
    await file.change(text)
  }

  test('is cancelled when the policies deny it, with an error that has a code; its session goes on, and so does what they still allow', async () => {
    await startStream('neighbour')
    const client = await db.connect()
    const reading = failureOf(client.query('SELECT id, pg_sleep(600) FROM customers'))
    await expect.poll(() => waitsFor('pg_sleep(600)'), soon).toBe('PgSleep')

    await change(nobodyReads('customers'))
    expect(await reading).toMatchObject({
      severity: 'ERROR',
      code: '42501',
      message: 'denied by policy: The policies in force deny this action.',
    })
    await expect.poll(() => waitsFor('pg_sleep(600)'), soon).toBeUndefined()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await expect
      .poll(outcomes, soon)
      .toContainEqual(expect.objectContaining({ result: 'failed', error: '42501' }))
    await expect.poll(() => waitsFor('neighbour'), soon).toBe('ClientWrite')
  })

  test('a write is rolled back with its transaction', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await client.query('INSERT INTO orders VALUES (9001, 1, 1)')
    const text = 'UPDATE customers SET name = name || pg_sleep(600)'
    const writing = failureOf(client.query(text))
    await expect.poll(() => waitsFor(text), soon).toBe('PgSleep')
    await change(nobodyReads('customers'))
    expect(await writing).toMatchObject({ severity: 'ERROR', code: '42501' })
    expect(await failureOf(client.query('SELECT 1'))).toMatchObject({ code: '25P02' })
    expect((await client.query('COMMIT')).command).toBe('ROLLBACK')
    expect((await db.direct.query('SELECT FROM orders WHERE id = 9001')).rowCount).toBe(0)
  })

  test('is cancelled when the key is revoked that its session began with', async () => {
    const made = await db.gateway.person('dana', '/api/keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'live-bot',
        groups: ['agents'],
        owner: { issuer: db.gateway.issuer.issuer, subject: 'priya' },
      }),
    })
    const { key, token } = (await made.json()) as { key: { id: string }; token: string }
    const client = new pg.Client({ ...(await db.config()), password: token })
    client.on('error', () => undefined)
    onTestFinished(() => client.end().catch(() => undefined))
    await client.connect()
    const sleeping = failureOf(client.query('SELECT pg_sleep(598)'))
    await expect.poll(() => waitsFor('pg_sleep(598)'), soon).toBe('PgSleep')
    await db.gateway.person('dana', `/api/keys/${key.id}/revoke`, { method: 'POST' })
    expect(await sleeping).toMatchObject({ severity: 'ERROR', code: '28000' })
  })

  test('ends with its session where its client does not read, so that nobody hears of being cancelled', async () => {
    await startStream('unread')
    await change(nobodyReads('orders'))
    await expect.poll(() => waitsFor('unread'), soon).toBeUndefined()
  })
})
