import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startQuickstart, type RunningQuickstart } from '../../src/cli/quickstart.ts'
import { showQuickstart } from '../../src/cli/show-quickstart.ts'
import { python } from '../support/python.ts'
import { sallyport } from '../support/terminal.ts'

const anyPorts = { agents: 0, control: 0, database: 0, identity: 0 }

let folder: string
let running: RunningQuickstart
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-quickstart-'))
  running = await startQuickstart(join(folder, 'data'), anyPorts)
})
afterAll(async () => {
  await running.close()
  rmSync(folder, { recursive: true })
})

const environment = { XDG_CONFIG_HOME: '/nonexistent' }
const cli = (argv: string[], answers?: string[]) =>
  sallyport(argv, { folder, environment, ...(answers && { answers }) })

/** The demo agent, with the header that the printed lines use. */
async function agent(method: string, path: string, body?: object, headers: object = {}) {
  const [, authorization] = readFileSync(running.agent.header, 'utf8').trim().split(': ')
  const response = await fetch(`${running.agentsUrl}/crm${path}`, {
    method,
    headers: { authorization: authorization!, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

/** The demo agent, as a client of the database. */
async function asAgent(work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({
    host: '127.0.0.1',
    port: running.databasePort,
    database: 'orders',
    user: 'support-agent',
    password: readFileSync(running.agent.token, 'utf8').trim(),
  })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

const refund = (order: string) => ({ order, amount_cents: 1800, reason: 'arrived broken' })
const largeRefund = { order: 'o-1001', amount_cents: 12_900, reason: 'arrived broken' }

/** Waits until the control plane knows of a hold, and tells its id. */
async function held(): Promise<string> {
  for (;;) {
    const { out } = await cli(['approvals', 'list', '--state', 'pending', '--json'])
    const [approval] = JSON.parse(out).approvals
    if (approval) return approval.id
  }
}

describe('from the start to the proof', () => {
  test('what is printed can be pasted', () => {
    const lines = showQuickstart(running).split('\n')
    const calls = lines.filter((line) => line.startsWith('curl '))
    expect(calls).toHaveLength(3)
    for (const call of calls) {
      expect(call).toContain(`-H @'${running.agent.header}'`)
      expect(call).toContain(`${running.agentsUrl}/crm/v1/`)
    }
    expect(calls[2]).toContain("-H 'Prefer: wait=300'")
    const asked = lines.filter((line) => line.startsWith('PGPASSWORD='))
    expect(asked).toHaveLength(3)
    for (const line of asked) {
      expect(line).toContain(`PGPASSWORD="$(cat '${running.agent.token}')" psql 'host=127.0.0.1`)
      expect(line).toContain(`port=${running.databasePort} dbname=orders user=support-agent'`)
    }
  })

  test('the agent reads a customer: 200, with a credential that it never had', async () => {
    const { status, body } = await agent('GET', '/v1/customers/c-1')
    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'Ada Lovelace' })
  })

  test('the agent reads orders, with a password that the database does not know', async () => {
    await asAgent(async (client) => {
      const { rows } = await client.query('SELECT id, customer, amount_cents FROM orders')
      expect(rows).toContainEqual({ id: 'o-1001', customer: 'c-1', amount_cents: 129_900 })
      const mine = 'SELECT name FROM customers WHERE id = $1'
      expect((await client.query(mine, ['c-1'])).rows).toEqual([{ name: 'Ada Lovelace' }])
    })
  })

  test('dropping a table is denied, and the session goes on', async () => {
    await asAgent(async (client) => {
      await expect(client.query('DROP TABLE orders')).rejects.toMatchObject({
        code: '42501',
        detail: expect.stringContaining('Reason: DESTRUCTIVE.'),
      })
      expect((await client.query('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: 4 }])
    })
  })

  test('deleting an order waits, and runs when Dana approves it; others go on meanwhile', async () => {
    await asAgent(async (client) => {
      const deleting = client.query("DELETE FROM orders WHERE id = 'o-1003'")
      const id = await held()
      await asAgent(async (other) => {
        expect((await other.query('SELECT id FROM orders')).rowCount).toBe(4)
      })
      const shown = await cli(['approvals', 'show', id])
      expect(shown.out).toContain("DELETE FROM orders WHERE id = 'o-1003'")
      await cli(['approvals', 'approve', id, '--yes'])
      expect((await deleting).rowCount).toBe(1)
      expect((await client.query('SELECT id FROM orders')).rowCount).toBe(3)
    })
  })

  test('a small refund goes through', async () => {
    expect(await agent('POST', '/v1/refunds', refund('o-1002'))).toMatchObject({ status: 201 })
  })

  test('deleting a customer is denied, with rule and reason', async () => {
    expect(await agent('DELETE', '/v1/customers/c-1')).toMatchObject({
      status: 403,
      body: {
        type: 'https://sallyport.dev/problems/denied',
        reason: 'DESTRUCTIVE',
        rules: ['nobody-deletes-customers'],
      },
    })
  })

  test('a large refund waits, and runs when Dana approves it in her terminal', async () => {
    const deceiving = { ...largeRefund, reason: 'broken \u202e\u009b2Jrisk  low' }
    const waiting = agent('POST', '/v1/refunds', deceiving, { prefer: 'wait=60' })
    const id = await held()

    const shown = await cli(['approvals', 'show', id])
    expect(shown.out).toContain('POST /v1/refunds')
    expect(shown.out).toContain('LARGE_REFUND')
    expect(shown.out).toContain('12900')
    expect(shown.out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)

    const refused = await cli(['approvals', 'approve', id], ['y'])
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.notes).toContain('Nothing was decided.')

    const approved = await cli(['approvals', 'approve', id, '--reason', 'seen the photo'], ['yes'])
    expect(approved).toMatchObject({ code: 0 })
    expect(await waiting).toMatchObject({ status: 201, body: { status: 'refunded' } })

    const again = await cli(['approvals', 'approve', id, '--yes'])
    expect(again.code).toBe(1)
    expect(again.notes).toContain('already-resolved')
  })

  test('a denial goes back to the agent, with its reason', async () => {
    const waiting = agent(
      'POST',
      '/v1/refunds',
      { ...largeRefund, amount_cents: 9900 },
      { prefer: 'wait=60' },
    )
    const id = await held()
    const denied = await cli(['approvals', 'deny', id, '--reason', 'no photo', '--yes', '--json'])
    expect(JSON.parse(denied.out)).toMatchObject({ state: 'denied' })
    const { status, body } = await waiting
    expect(status).toBe(403)
    expect(body.type).toBe('https://sallyport.dev/problems/approval-denied')
    expect(JSON.stringify(body)).toContain('no photo')
  })

  test('approvals watch prints what waits, and what becomes of it', async () => {
    const interrupted = new AbortController()
    const states: string[] = []
    const watching = sallyport(['approvals', 'watch', '--json'], {
      folder,
      environment,
      interrupted: interrupted.signal,
      onPrint: (text) => {
        const { id, state } = JSON.parse(text)
        states.push(state)
        if (state === 'pending') void cli(['approvals', 'deny', id, '--reason', 'no', '--yes'])
        if (state === 'denied') interrupted.abort()
      },
    })
    await agent(
      'POST',
      '/v1/refunds',
      { ...largeRefund, amount_cents: 9000 },
      { prefer: 'wait=60' },
    )
    expect(await watching).toMatchObject({ code: 0 })
    expect(states).toEqual(['pending', 'denied'])
  })

  test('approvals watch says who decided, and why', async () => {
    const interrupted = new AbortController()
    const lines: string[] = []
    const watching = sallyport(['approvals', 'watch'], {
      folder,
      environment,
      interrupted: interrupted.signal,
      onPrint: (line) => {
        lines.push(line)
        const [state = '', id = ''] = line.split(/ +/)
        if (state === 'pending') void cli(['approvals', 'deny', id, '--reason', 'no', '--yes'])
        if (state === 'denied') interrupted.abort()
      },
    })
    await agent(
      'POST',
      '/v1/refunds',
      { ...largeRefund, amount_cents: 9001 },
      { prefer: 'wait=60' },
    )
    await watching
    expect(lines[0]).toMatch(/^pending {5}\S+ {2}\S+ → \S+: POST \/v1\/refunds$/)
    expect(lines.at(-1)).toMatch(/^denied .* {2}\(by \S.*: no\)$/)
  })

  test('in an emergency Dana releases an export alone, with a reason', async () => {
    const exporting = { dataset: 'customers', columns: ['id', 'email'] }
    const waiting = agent('POST', '/v1/exports', exporting, { prefer: 'wait=60' })
    const id = await held()
    expect((await cli(['approvals', 'show', id])).out).toContain(
      'emergency   alone: members of platform\n',
    )
    const glass = ['approvals', 'approve', id, '--break-glass']
    expect(await cli(glass)).toMatchObject({ code: 2 })
    expect(await cli([...glass, '--reason', 'because I say so', '--minutes', '5'])).toMatchObject({
      code: 2,
    })
    const short = await cli([...glass, '--reason', 'urgent', '--yes'])
    expect(short).toMatchObject({ code: 1 })
    expect(short.notes).toContain('bad-request: Breaking the glass takes a reason')

    const broken = await cli([...glass, '--reason', 'a regulator asks for it'], ['yes'])
    expect(broken).toMatchObject({ code: 0 })
    expect(await waiting).toMatchObject({ status: 202 })
    const shown = await cli(['approvals', 'show', id])
    expect(shown.out).toContain('Dana Okafor broke the glass: a regulator asks for it\n')
    const found = await cli(['audit', 'search', '--json', '--type', 'approval.broken_glass'])
    expect(JSON.parse(found.out)).toMatchObject({
      type: 'approval.broken_glass',
      subject: { subject: 'dana' },
      details: { vote: 'break_glass', reason: 'a regulator asks for it', channel: 'cli' },
      rules: ['personal-data-exports-need-two-owners'],
    })
  })

  test('all of it is in the audit log, which exports and verifies', async () => {
    const search = await cli(['audit', 'search', '--json', '--decision', 'deny'])
    expect(search.code).toBe(0)
    expect(search.out).toContain('DESTRUCTIVE')
    const file = join(folder, 'audit.ndjson')
    expect(await cli(['audit', 'export', '--out', file])).toMatchObject({ code: 0 })
    const verified = await cli(['audit', 'verify', file])
    expect(verified).toMatchObject({ code: 0 })
    expect(verified.notes).toContain('that was signed at')

    const { stdout } = await python(['examples/verify/verify.py', file])
    expect(stdout).toContain('These are the events of the log')

    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const row = lines.findIndex((line) => line.includes('DESTRUCTIVE'))
    lines[row] = lines[row]!.replace('DESTRUCTIVE', 'DESTRUCTIVF')
    writeFileSync(file, `${lines.join('\n')}\n`)
    const changed = await cli(['audit', 'verify', file])
    expect(changed.code).toBe(1)
    expect(changed.notes + changed.out).toContain(`${row + 1}`)
    await expect(python(['examples/verify/verify.py', file])).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`line ${row + 1}: edited`),
    })
  })

  test('an export is not written over another', async () => {
    const file = join(folder, 'audit.ndjson')
    const before = readFileSync(file)
    // Wrong use: nobody was asked, so nobody said no.
    expect(await cli(['audit', 'export', '--out', file])).toMatchObject({ code: 2 })
    expect(readFileSync(file)).toEqual(before)
  })
})
