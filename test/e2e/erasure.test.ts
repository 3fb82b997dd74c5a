import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { createTestDatabase, storeKinds } from '../support/store.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

describe.runIf(storeKinds.includes('postgres'))('audit erase', () => {
  const login = `eraser_${crypto.randomUUID().replaceAll('-', '')}`
  // Roles are the server's, and other tests may have made others erasers.
  const stranger = login.replace('eraser', 'stranger')
  let admin: Client
  let owner: Client
  let upstream: CountingUpstream
  let gateway: TestGateway
  let databaseUrl: string

  // As docs/audit.md has it: an administrator makes the login.
  beforeAll(async () => {
    admin = new Client({ connectionString: inject('postgres')!.server })
    await admin.connect()
    await admin.query(`CREATE ROLE ${login} LOGIN IN ROLE sallyport_eraser`)
    await admin.query(`CREATE ROLE ${stranger} LOGIN`)
    databaseUrl = await createTestDatabase()
    owner = new Client({ connectionString: databaseUrl })
    await owner.connect()
    upstream = await startCountingUpstream()
    gateway = await startTestGateway({ upstream: upstream.url, policies, databaseUrl })
  })

  afterAll(async () => {
    await gateway.close()
    await upstream.close()
    await owner.end()
    await admin.query(`DROP ROLE ${login}`)
    await admin.query(`DROP ROLE ${stranger}`)
    await admin.end()
  })

  const erase = (subject: string, reason = 'request 2026-17', user = login, answer = 'yes') => {
    const url = new URL(databaseUrl)
    url.username = user
    const who = ['--issuer', gateway.issuer.issuer, '--subject', subject]
    return sallyport(['audit', 'erase', ...who, '--reason', reason], {
      environment: { SALLYPORT_ERASER_URL: url.href },
      answers: [answer],
    })
  }

  const text = async (table: string) => {
    const { rows } = await owner.query<{ text: string }>(
      `SELECT coalesce(string_agg(t::text, ' '), '') AS text FROM sallyport.${table} t`,
    )
    return rows[0]!.text
  }

  test('erases what the log, approvals and people have of a subject, and every proof stays valid', async () => {
    await gateway.agent('/crm/v1/customers', {}, { sub: 'erased-agent' })
    await gateway.agent('/crm/v1/customers', {}, { sub: 'other-agent' })
    const held = gateway.agent('/crm/v1/refunds', waiting(refund(77_001), 300), {
      sub: 'erased-agent',
    })
    const approval = await gateway.pending()

    const early = await erase('erased-agent')
    expect(early).toMatchObject({ code: 1, notes: expect.stringContaining('open: end it first') })

    await gateway.vote('dana', approval, 'approve', { reason: 'Priya asked me on the phone' })
    expect((await held).status).toBe(201)
    await verifiedLog(gateway, gateway.folder)

    const { code, out } = await erase('erased-agent')
    expect({ code, out }).toMatchObject({ code: 0 })
    expect(out).toMatch(/^Erased: the personal part of \d+ events, 1 approval, 0 reasons of votes/)
    expect(await text('approvals')).not.toMatch(/erased-agent|77001/)
    const log = await verifiedLog(gateway, gateway.folder)
    expect(JSON.stringify(log)).not.toContain('erased-agent')
    expect(JSON.stringify(log)).toContain('other-agent')

    const shown = await gateway.approval(approval.id)
    expect(shown).toMatchObject({ state: 'succeeded' })
    expect(shown.action.payload).toEqual({ erased: true })
  })

  test('what was erased cannot be replayed, and is counted', async () => {
    const answer = await gateway.person('dana', '/api/policies/replay', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from: new Date(0).toISOString() }),
    })
    const last = (await answer.text()).trimEnd().split('\n').at(-1)!
    // What erased-agent did was decided twice, what other-agent did once.
    expect(JSON.parse(last)).toMatchObject({ summary: { actions: 3, erased: 2, same: 1 } })
  })

  test('a person who voted: their name, their words and their sessions go, and that they voted stays', async () => {
    expect(await text('approval_votes')).toContain('on the phone')
    const { code, out } = await erase('dana')
    expect({ code, out }).toMatchObject({ code: 0 })
    expect(out).toContain('1 reason of votes')
    expect(await text('approval_votes')).not.toContain('on the phone')
    const people = await text('people')
    expect(people).not.toContain('dana@example.com')
    expect(people).toContain('erased')
    await verifiedLog(gateway, gateway.folder)
  })

  test('is on record, with its reason, and without who it was', async () => {
    for (;;) {
      const log = await verifiedLog(gateway, gateway.folder)
      const erasures = log.filter(({ type }) => type === 'audit.erased')
      if (erasures.length < 2) continue
      expect(erasures).toHaveLength(2)
      expect(erasures[0]).toMatchObject({
        details: { reason: 'request 2026-17', by: login, approvals: 1, votes: 0 },
      })
      expect(JSON.stringify(erasures)).not.toMatch(/erased-agent|dana/)
      return
    }
  })

  test('wants a reason, a confirmation, and a login that may', async () => {
    for (const refused of [
      await erase('other-agent', 'because'),
      await erase('other-agent', 'request 2026-18', login, 'no'),
      await erase('other-agent', 'request 2026-18', stranger),
    ]) {
      expect(refused).toMatchObject({
        code: 1,
        notes: expect.stringContaining('Nothing was erased.'),
      })
    }
    const without = ['--issuer', 'i', '--subject', 's', '--reason', 'request 2026-18']
    expect(await sallyport(['audit', 'erase', ...without])).toMatchObject({ code: 2 })
    expect(JSON.stringify(await verifiedLog(gateway, gateway.folder))).toContain('other-agent')
  })

  test.each([
    [`SELECT sallyport.erase_person('i', 's', 'request 2026-19')`, '42501'],
    [`SELECT sallyport.erase_beside_log('i', 's', 'request 2026-19', 0)`, '42501'],
    [
      `INSERT INTO sallyport.erasures (reason, events, approvals, votes) VALUES ('none at all', 0, 0, 0)`,
      '42501',
    ],
    [`UPDATE sallyport.erasures SET reason = 'another one'`, '42501'],
    [
      `UPDATE sallyport.approvals SET payload = '{"erased":true}', action = sallyport.erased_action(action)`,
      'SP002',
    ],
    [`UPDATE sallyport.approvals SET payload = '{}'`, 'SP002'],
  ])('the gateway’s own role cannot: %s', async (sql, code) => {
    const held = gateway.agent('/crm/v1/exports', waiting({ method: 'POST', body: sql }, 0))
    await problemIn(held, 'approval-pending')
    // One that is over, and so could be erased.
    const denial = { reason: 'not this one' }
    expect((await gateway.vote('omar', await gateway.pending(), 'deny', denial)).status).toBe(200)
    await owner.query('BEGIN')
    await owner.query('SET LOCAL ROLE sallyport_gateway')
    await expect(owner.query(sql)).rejects.toMatchObject({ code })
    await owner.query('ROLLBACK')
  })

  test('not even the owner of the tables changes what an approval was about, but to nothing', async () => {
    for (const change of [
      `payload = '{"method":"GET"}'`,
      `payload = '{"erased":true}'`,
      `payload = '{"erased":true}', action = sallyport.erased_action(action), decision = '{}'`,
      `payload = '{"erased":true}', action = sallyport.erased_action(action), state = 'expired'`,
    ]) {
      const sql = `UPDATE sallyport.approvals SET ${change} WHERE payload::text <> '{"erased":true}'`
      await expect(owner.query(sql)).rejects.toMatchObject({ code: 'SP002' })
    }
  })
})
