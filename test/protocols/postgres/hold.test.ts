import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startGateway } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { gatewayClient } from '../../support/gateway-client.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - name: agents-read-and-insert
    who: { group: agents }
    on: orders
    what: { sql: { verb: [select, insert, copy], tables: [public.customers, public.orders] } }
    then: allow
  - name: deletes-need-a-lead
    who: { group: agents }
    on: orders
    what: { sql: { verb: [delete, copy] } }
    then: hold
    approval: { from: { group: support-leads }, expires: 5m }
`

/** The first notice that a client gets. */
function notice(client: {
  once(event: 'notice', listener: (notice: { message?: string }) => void): unknown
}): Promise<string> {
  return new Promise((resolve) => client.once('notice', ({ message }) => resolve(message ?? '')))
}

describe.runIf(hasPostgres)('a held statement', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({
      policies,
      config: 'hold: { on_disconnect: cancel }',
    })
  })
  afterAll(() => db.close())

  const left = async (id: number) =>
    (await db.direct.query('SELECT 1 FROM orders WHERE id = $1', [id])).rowCount

  test('says so at once, and runs when it is approved, on the same connection', async () => {
    const client = await db.connect()
    const said = notice(client)
    const deleting = client.query('DELETE FROM orders WHERE id = 1')
    const approval = await db.gateway.pending()
    expect(await said).toBe(
      `held for approval ${approval.id}: deletes-need-a-lead, waiting for support-leads`,
    )
    expect(approval.action.payload).toEqual({
      text: 'DELETE FROM orders WHERE id = 1',
      database: db.database,
      role: 'owner',
      search_path: ['pg_catalog', 'public'],
      settings: {},
    })
    expect(await left(1)).toBe(1)
    expect((await db.gateway.vote('dana', approval)).status).toBe(200)
    expect((await deleting).rowCount).toBe(1)
    expect(await left(1)).toBe(0)
    expect((await client.query('SELECT id FROM orders WHERE id = 2')).rows).toEqual([{ id: 2 }])
  })

  test('runs in the transaction that it was sent in, with its values', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await client.query('INSERT INTO orders VALUES (3000, 1, 1)')
    const deleting = client.query('DELETE FROM orders WHERE id = $1', [2])
    const approval = await db.gateway.pending()
    expect(approval.action.payload).toMatchObject({
      text: 'DELETE FROM orders WHERE id = $1',
      values: ['2'],
    })
    await db.gateway.vote('dana', approval)
    expect((await deleting).rowCount).toBe(1)
    expect(await left(2)).toBe(1)
    await client.query('COMMIT')
    expect(await left(2)).toBe(0)
    expect(await left(3000)).toBe(1)
    // The outcome is written while the client goes on.
    let used = await db.gateway.approval(approval.id)
    while (used.state === 'dispatching') used = await db.gateway.approval(approval.id)
    expect(used).toMatchObject({ state: 'succeeded', outcome: { result: 'succeeded', rows: 1 } })
  })

  test('that is denied by a person fails, with what they said', async () => {
    const client = await db.connect()
    const deleting = failureOf(client.query('DELETE FROM orders WHERE id = 4'))
    await db.gateway.vote('dana', await db.gateway.pending(), 'deny', {
      reason: 'Not on a Sunday.',
    })
    expect(await deleting).toMatchObject({
      code: '42501',
      message: expect.stringContaining('Not on a Sunday.') as string,
    })
    expect(await left(4)).toBe(1)
  })

  test('ends with the cancel request of its client, and is not approved behind its back', async () => {
    const client = await db.connect()
    const deleting = failureOf(client.query('DELETE FROM orders WHERE id = 5'))
    const approval = await db.gateway.pending()
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
    const request = Buffer.alloc(16)
    request.writeInt32BE(16)
    request.writeInt32BE(80_877_102, 4)
    request.writeInt32BE(processID, 8)
    request.writeInt32BE(secretKey, 12)
    connect(db.port, '127.0.0.1').end(request)
    expect(await deleting).toMatchObject({ code: '57014' })
    expect((await db.gateway.approval(approval.id)).state).toBe('cancelled')
    expect((await client.query('SELECT id FROM orders WHERE id = 5')).rows).toEqual([{ id: 5 }])
  })

  test('whose client dies is cancelled, as configured, and never runs', async () => {
    const client = await db.connect()
    const deleting = failureOf(client.query('DELETE FROM orders WHERE id = 6'))
    const approval = await db.gateway.pending()
    ;(
      client as unknown as { connection: { stream: { destroy(): void } } }
    ).connection.stream.destroy()
    await deleting
    for (let state = ''; state !== 'cancelled';)
      ({ state } = await db.gateway.approval(approval.id))
    expect(await left(6)).toBe(1)
  })

  test('does not wait behind an error that came before it in the pipeline', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await failureOf(client.query('SELECT 1/0 FROM orders'))
    const error = await failureOf(client.query('DELETE FROM orders WHERE id = 7'))
    expect(error.code).toBe('25P02')
    await client.query('ROLLBACK')
    const { approvals } = (await (
      await db.gateway.person('dana', '/api/approvals?state=pending')
    ).json()) as { approvals: unknown[] }
    expect(approvals).toEqual([])
  })

  test('of psql prints its notice at once, and runs after approval in the same transaction', async () => {
    const url = `postgres://agent@127.0.0.1:${db.port}/${db.database}`
    const commands = [
      'BEGIN',
      'DELETE FROM orders WHERE id = 9',
      'SELECT count(*) FROM orders WHERE id = 9',
      'COMMIT',
    ]
    const env = { ...process.env, PGPASSWORD: await db.gateway.agentToken() }
    const psql = spawn('psql', [url, '-At', ...commands.flatMap((command) => ['-c', command])], {
      env,
    })
    let said = ''
    let printed = ''
    psql.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
    psql.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()))
    const approval = await db.gateway.pending()
    while (!said.includes('\n')) await new Promise((resolve) => psql.stderr.once('data', resolve))
    expect(said).toBe(
      `NOTICE:  held for approval ${approval.id}: deletes-need-a-lead, waiting for support-leads\n`,
    )
    expect(printed).toBe('BEGIN\n')
    await db.gateway.vote('dana', approval)
    await new Promise((resolve) => psql.once('close', resolve))
    expect(printed).toBe('BEGIN\nDELETE 1\n0\nCOMMIT\n')
    expect(await left(9)).toBe(0)
  })

  test('of which nobody can see which row it changes is refused (class 24)', async () => {
    const client = await db.connect()
    for (const text of [
      'DELETE FROM orders WHERE CURRENT OF c',
      'WITH gone AS (DELETE FROM orders WHERE CURRENT OF c RETURNING *) DELETE FROM orders',
    ])
      expect(await failureOf(client.query(text))).toMatchObject({
        code: '42501',
        message: expect.stringContaining('Which row the cursor stands on') as string,
      })
    expect(await left(5)).toBe(1)
  })

  test('that is too large to be shown is refused', async () => {
    const client = await db.connect()
    const text = `DELETE FROM orders WHERE id = 10 OR total::text = '${'x'.repeat(1024 * 1024)}'`
    expect((await failureOf(client.query(text))).code).toBe('54000')
    expect(await left(10)).toBe(1)
  })

  test('keeps a transaction waiting for so long, and no longer; what was approved meanwhile runs once', async () => {
    const db = await startDatabase({ policies, config: 'hold: { in_transaction_max: 1s }' })
    onTestFinished(() => db.close())
    const client = await db.connect()
    await client.query('BEGIN')
    const error = await failureOf(client.query('DELETE FROM orders WHERE id = 3'))
    expect(error).toMatchObject({ code: 'SP001', severity: 'ERROR' })
    expect(error.message).toMatch(/^still held for approval [0-9a-f-]{36}$/)
    expect(error.detail).toContain('Rule: deletes-need-a-lead.')
    expect(error.hint).toMatch(/^Run the same statement/)
    expect((await client.query('COMMIT')).command).toBe('ROLLBACK')
    await db.gateway.vote('dana', await db.gateway.pending())
    expect((await client.query('DELETE FROM orders WHERE id = 3')).rowCount).toBe(1)
    expect((await db.direct.query('SELECT FROM orders WHERE id = 3')).rowCount).toBe(0)
  })

  test('is released by a vote on another replica', async () => {
    const { folder, issuer } = db.gateway
    const config = loadConfig(`${folder}/sallyport.yaml`, {})
    const other = await startGateway(config, {
      log: createLog('error', { write: () => undefined }),
    })
    onTestFinished(() => other.close())
    const client = await db.connect()
    const deleting = client.query('DELETE FROM orders WHERE id = 8')
    const approval = await db.gateway.pending()
    expect((await gatewayClient(issuer, () => other).vote('dana', approval)).status).toBe(200)
    expect((await deleting).rowCount).toBe(1)
  })
})
