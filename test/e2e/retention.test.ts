import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openPostgres } from '../../src/store/postgres.ts'
import { agent, anIntent } from '../support/audit.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import type { PersonName } from '../support/gateway-client.ts'
import { provideMonth, replicaOfThen } from '../support/past.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'
import { sallyport } from '../support/terminal.ts'

const month = '2024-03'
const soon = { timeout: 60_000, interval: 100 }

const policies = {
  'gateway.yaml': `
rules:
  - name: agents-read
    on: crm
    what: { http: { method: GET } }
    then: allow
  - name: two-people-let-history-go
    on: sallyport
    what: { admin: { operation: [audit.retain, legal_hold.release] } }
    then: hold
    risk: high
    approval: { from: { group: approvers } }
`,
}

describe.runIf(storeKinds.includes('postgres'))('audit retain and legal-hold', () => {
  const suffix = crypto.randomUUID().replaceAll('-', '')
  const [keeper, eraser] = [`keeper_${suffix}`, `eraser_${suffix}`]
  let admin: Client
  let owner: Client
  let upstream: CountingUpstream
  let gateway: TestGateway
  let databaseUrl: string
  let delivered: string

  // As docs/audit.md has it: an administrator makes the logins.
  beforeAll(async () => {
    admin = new Client({ connectionString: inject('postgres')!.server })
    await admin.connect()
    await admin.query(`CREATE ROLE ${keeper} LOGIN IN ROLE sallyport_keeper`)
    await admin.query(`CREATE ROLE ${eraser} LOGIN IN ROLE sallyport_eraser`)
    databaseUrl = await createTestDatabase()
    owner = new Client({ connectionString: databaseUrl })
    await owner.connect()
    await provideMonth((sql) => owner.query(sql), month)
    upstream = await startCountingUpstream()
    const worm = mkdtempSync(join(tmpdir(), 'sallyport-worm-'))
    atEnd(async () => rmSync(worm, { recursive: true }))
    delivered = worm
    const config = `audit:
  retention: { keep: 400d }
  deliveries: { worm: { folder: ${worm}, every: 1s } }`
    gateway = await startTestGateway({ upstream: upstream.url, policies, databaseUrl, config })
    await happenThen(10)
    mkdirSync(join(gateway.folder, 'kept'))
  })

  async function happenThen(events: number): Promise<void> {
    const store = await openPostgres(databaseUrl)
    const then = await replicaOfThen(store, new Date('2024-03-15T12:00:00Z'))
    for (let i = 0; i < events; i++) await then.append(anIntent())
    await then.close()
    await store.end()
  }

  afterAll(async () => {
    await gateway.close()
    await upstream.close()
    await owner.end()
    await admin.query(`DROP ROLE ${keeper}`)
    await admin.query(`DROP ROLE ${eraser}`)
    await admin.end()
  })

  const as = (user: string) => {
    const url = new URL(databaseUrl)
    url.username = user
    return url.href
  }

  const run = async (
    argv: readonly string[],
    environment: Record<string, string> = {},
    name: PersonName = 'dana',
  ) =>
    sallyport(['audit', ...argv], {
      folder: gateway.folder,
      environment: {
        SALLYPORT_URL: gateway.controlUrl,
        SALLYPORT_TOKEN: await gateway.personToken(name),
        ...environment,
      },
      answers: ['yes'],
    })

  const erase = () => {
    const who = ['--issuer', agent.issuer, '--subject', agent.subject]
    return run(['erase', ...who, '--reason', 'request 2026-17'], {
      SALLYPORT_ERASER_URL: as(eraser),
    })
  }

  /** The code with which the database refuses a statement. */
  async function refusal(user: string, role: string, sql: string): Promise<string | undefined> {
    const session = new Client({ connectionString: as(user) })
    await session.connect()
    try {
      await session.query(`SET ROLE ${role}`)
      await session.query(sql)
      return undefined
    } catch (error) {
      return (error as { code: string }).code
    } finally {
      await session.end()
    }
  }

  const types = async (type: string) =>
    (await gateway.auditLog()).map((line) => JSON.parse(line)).filter((it) => it.type === type)

  let hold: string

  test('a legal hold keeps a month in the database, and what it says of people', async () => {
    expect((await run(['retain'])).out).toMatch(/2024-03 +\d+\.\d +10 +due +-\n/)
    const span = ['--from', '2024-03-01', '--to', '2024-04-01']
    const why = ['--reason', 'case 2026-4, Smith against us']
    const made = await run(['legal-hold', 'create', ...span, ...why])
    expect(made.out).toMatch(/^Legal hold [0-9a-f-]{36} is in force\.\n$/)
    hold = made.out.split(' ')[2]!
    expect((await run(['retain'])).out).toContain(hold)
    expect((await run(['legal-hold', 'list'])).out).toMatch(/in force +from 2024-03-01.*Smith/)

    const { code, notes } = await erase()
    expect({ code, notes }).toMatchObject({ code: 1 })
    expect(notes).toContain(`Nothing was erased. The database refuses: legal hold ${hold} covers`)
    // Nor by hand.
    const byHand = `UPDATE sallyport.audit_events SET issuer = NULL, subject = NULL, salt = NULL, personal = NULL
      WHERE time < '2024-04-01'`
    expect(await refusal(eraser, 'sallyport_eraser', byHand)).toBe('SP006')
    expect(await types('audit.legal_hold_created')).toMatchObject([
      { subject: { subject: 'dana' }, details: { hold, reason: 'case 2026-4, Smith against us' } },
    ])
  })

  test('a hold on a person keeps them from being erased, whatever else there is of them', async () => {
    const who = ['--issuer', agent.issuer, '--subject', 'nobody-in-the-log']
    const made = await run(['legal-hold', 'create', ...who, '--reason', 'case 2026-5'])
    expect(made).toMatchObject({ code: 0 })
    const refused = await run(['erase', ...who, '--reason', 'request 2026-18'], {
      SALLYPORT_ERASER_URL: as(eraser),
    })
    expect(refused.notes).toContain('is on this subject: release it first')
  })

  test('its release can need people, and is on record', async () => {
    const release = ['legal-hold', 'release', hold, '--reason', 'the case was closed']
    expect(await run(release)).toMatchObject({
      notes: expect.stringContaining('A rule holds this'),
    })
    expect((await run(['retain'])).out).toContain(hold)
    expect((await gateway.vote('omar', await gateway.pending())).status).toBe(200)
    await expect.poll(async () => (await run(['retain'])).out, soon).not.toContain(hold)
    expect(await types('audit.legal_hold_released')).toMatchObject([{ details: { hold } }])
    // On record for good, and not in force any more.
    expect((await run(['legal-hold', 'list'])).out).toContain(`${hold}  released`)
    expect(await run(release)).toMatchObject({ code: 0 })
    await gateway.vote('omar', await gateway.pending(), 'deny', { reason: 'it is released' })
    for (const sql of ['DELETE FROM sallyport.legal_holds', 'TRUNCATE sallyport.legal_holds'])
      await expect(owner.query(sql)).rejects.toMatchObject({ code: 'SP004' })
  })

  test('files that lack something of the month, or are not what was recorded, let nothing go', async () => {
    await run(['export', '--out', 'kept/bare.ndjson', '--no-personal'])
    const bare = await run(['retain', '--exports', 'kept'])
    expect(bare.notes).toContain('10 events of 2024-03 are without who, attributes and details')

    await run(['export', '--out', 'edited.ndjson'])
    const edited = join(gateway.folder, 'edited.ndjson')
    writeFileSync(
      edited,
      readFileSync(edited, 'utf8').replace('"resource":"crm"', '"resource":"hr"'),
    )
    const refused = await run(['retain', '--exports', 'edited.ndjson'])
    expect(refused).toMatchObject({
      code: 1,
      notes: expect.stringContaining('not what was recorded'),
    })

    await run(['export', '--out', 'later.ndjson', '--from', '2030-01-01'])
    const later = await run(['retain', '--exports', 'later.ndjson'])
    expect(later.notes).toContain('2024-03 is not in these files, and stays.')
    expect((await types('audit.retained')).length).toBe(0)
  })

  test('a month goes once its export is verified, on record, approved, and signed; what is left verifies', async () => {
    const environment = { SALLYPORT_KEEPER_URL: as(keeper) }
    const retain = (more: Record<string, string> = environment) =>
      run(['retain', '--exports', delivered], more)

    // What the gateway delivered by itself, as soon as it has all of it.
    await expect.poll(async () => (await retain()).notes, soon).toContain('A rule holds this')
    expect((await gateway.vote('omar', await gateway.pending())).status).toBe(200)
    await expect.poll(async () => (await run(['retain'])).out, soon).toContain('on record')
    // Without the login it stays, and says so.
    expect((await retain({})).notes).toContain('2024-03 is in the database still')
    const done = await retain()
    expect(done).toMatchObject({
      code: 0,
      out: '2024-03: out of the database. Its hashes and proofs stay.\n',
    })
    expect((await retain()).notes).toBe('No month is due.')
    const { rows } = await owner.query(
      `SELECT to_regclass('sallyport.audit_events_2024_03') AS there`,
    )
    expect(rows).toEqual([{ there: null }])

    expect(await types('audit.retained')).toMatchObject([
      {
        subject: { subject: 'dana' },
        retention: { month, events: 10, exports: [{ sha256: expect.any(String) }] },
      },
    ])
    await run(['export', '--out', 'rest.ndjson'])
    const verified = await run(['verify', 'rest.ndjson'])
    expect(verified.code).toBe(0)
    expect(verified.out).toContain('retained: 10 events from')
    expect(verified.out).toContain(', 10 kept elsewhere')
    // And what was kept is what was recorded, as ever.
    expect(await run(['export', '--out', 'all.csv', '--format', 'csv'])).toMatchObject({ code: 0 })
    expect(
      readFileSync(join(gateway.folder, 'all.csv'), 'utf8').split('\n').length,
    ).toBeGreaterThan(10)

    // A proof for an event that is gone, by its index in the export that has it.
    const checkpoint = await (await gateway.person('dana', '/api/audit/checkpoint')).text()
    const size = checkpoint.split('\n')[1]!
    const proof = (query: string) =>
      gateway.person('dana', `/api/audit/proofs/inclusion?size=${size}${query}`)
    expect(await (await proof('&index=5')).json()).toMatchObject({
      index: 5,
      proof: expect.any(Array),
    })
    expect((await proof('')).status).toBe(400)
    expect((await proof(`&event=${crypto.randomUUID()}`)).status).toBe(404)

    // Whoever acted in it can be erased from what is left.
    expect(await erase()).toMatchObject({ code: 0 })
  })

  test('what comes into that month afterwards is listed, stays until it is kept elsewhere as well, and goes the same way', async () => {
    const environment = { SALLYPORT_KEEPER_URL: as(keeper) }
    await happenThen(10)
    const line = /2024-03 +\d+\.\d +10 +due: came when others of it were on record +-\n/
    await expect.poll(async () => (await run(['retain'])).out, soon).toMatch(line)
    // The first ten are in the files, which say nothing of these.
    const first = readdirSync(delivered).filter((name) => name.includes('-000000000000-'))
    const old = await run(
      [
        'retain',
        '--exports',
        ...first.filter((it) => it.endsWith('.gz')).map((it) => join(delivered, it)),
      ],
      environment,
    )
    expect(old.notes).toContain('2024-03 is not in these files, and stays.')

    await expect
      .poll(async () => (await run(['retain', '--exports', delivered], environment)).notes, soon)
      .toContain('A rule holds this')
    expect((await gateway.vote('omar', await gateway.pending())).status).toBe(200)
    await expect.poll(async () => (await run(['retain'])).out, soon).toContain('on record as kept')
    expect(await run(['retain', '--exports', delivered], environment)).toMatchObject({
      code: 0,
      out: '2024-03: out of the database. Its hashes and proofs stay.\n',
    })
    await run(['export', '--out', 'after.ndjson'])
    const verified = await run(['verify', 'after.ndjson'])
    expect(verified.code).toBe(0)
    expect(verified.out).toContain(', 20 kept elsewhere')
    expect(await types('audit.retained')).toHaveLength(2)
  })

  test.each([
    ['sallyport_gateway', `SELECT sallyport.drop_month('2024-03-01')`, '42501'],
    ['sallyport_keeper', 'DELETE FROM sallyport.audit_events', '42501'],
    ['sallyport_keeper', 'INSERT INTO sallyport.legal_holds DEFAULT VALUES', '42501'],
    [
      'sallyport_keeper',
      `DO $$ BEGIN PERFORM sallyport.drop_month(date_trunc('month', now())::date); END $$`,
      'SP007',
    ],
    ['sallyport_gateway', `UPDATE sallyport.legal_holds SET reason = 'another one'`, '42501'],
    ['sallyport_gateway', 'DELETE FROM sallyport.legal_holds', '42501'],
  ])('%s cannot: %s', async (role, sql, code) => {
    const user = role === 'sallyport_keeper' ? keeper : 'owner'
    expect(await refusal(user, role, sql)).toBe(code)
  })

  test('is for administrators; what is held is for auditors too', async () => {
    expect(await run(['retain'], {}, 'omar')).toMatchObject({ code: 1 })
    const why = ['--reason', 'case 2026-6', '--from', '2026-01-01']
    expect(await run(['legal-hold', 'create', ...why], {}, 'omar')).toMatchObject({ code: 1 })
    expect(await run(['legal-hold', 'create', '--reason', 'case 2026-6'])).toMatchObject({
      code: 1,
      notes: expect.stringContaining('Say what it covers'),
    })
  })
})
