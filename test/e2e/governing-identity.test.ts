import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { gatewayClient, type PersonName } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { atEnd, storeKinds } from '../support/store.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'
import { problemIn } from './requests.ts'

const soon = { timeout: 60_000, interval: 50 }

const rules = (then: string) => `
rules:
  - name: agents-read
    on: crm
    what: { http: { method: GET } }
    then: allow
  - name: refunds-need-somebody
    on: crm
    what: { http: { method: POST } }
    then: hold
    approval: { from: { group: approvers } }
  - name: somebody-else-looks-at-it
    on: sallyport
    what: { admin: { operation: [policy.activate, identity.change] } }
    then: ${then}
`
const held = rules('hold\n    approval: { from: { group: approvers } }')
const unruled = held.replace(', identity.change]', ']')

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  atEnd(() => upstream.close())
})

afterEach(() => gateway.close())

async function start(policy: string): Promise<void> {
  gateway = await startTestGateway({ upstream: upstream.url, policies: { 'crm.yaml': policy } })
}

/** What whoever can write the file of a gateway can do. */
function edit(from: string, to: string): void {
  const file = join(gateway.folder, 'sallyport.yaml')
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(from)
  writeFileSync(file, text.replace(from, to))
}

const admins = (group: string) => `admin: { group: ${group} }`
const isAdmin = async (name: PersonName) => (await gateway.person(name, '/api/keys')).ok
const state = async (id: string) => (await gateway.approval(id)).state

async function activated() {
  const events = (await gateway.auditLog()).map((line) => JSON.parse(line) as { type: string })
  return events.filter(({ type }) => type === 'identity.activated')
}

describe('roles that change in the configuration, where a rule holds that', () => {
  beforeEach(() => start(held))
  it('stay what they were until somebody else has approved it, and follow then without a restart', async () => {
    await gateway.restart(() => edit(admins('platform'), admins('data-owners')))
    expect([await isAdmin('dana'), await isAdmin('omar')]).toEqual([true, false])
    const approval = await gateway.pending()
    expect(approval.action).toMatchObject({
      name: 'identity.change',
      resource: 'sallyport',
      subject: { issuer: 'sallyport:gateway', subject: 'configuration' },
    })
    const { body } = approval.action.payload as { body: { text: string } }
    expect(body.text).toContain('-    group: platform')
    expect(body.text).toContain('+    group: data-owners')

    expect((await gateway.vote('omar', approval)).status).toBe(200)
    await expect.poll(() => state(approval.id), soon).toBe('succeeded')
    await expect.poll(() => isAdmin('omar'), soon).toBe(true)
    expect(await isAdmin('dana')).toBe(false)
    expect(await activated()).toMatchObject([
      { details: { generation: 1, instead_of: null } },
      { approval: approval.id, details: { generation: 2 } },
    ])
  })

  it('class 13: are not approved by those who administer it now, whomever the file names instead', async () => {
    await gateway.restart(() => edit(admins('platform'), admins('data-owners')))
    await problemIn(gateway.vote('dana', await gateway.pending()), 'self-approval')
  })

  it('are asked about once, however often it starts', async () => {
    await gateway.restart(() => edit(admins('platform'), admins('data-owners')))
    const { id } = await gateway.pending()
    await gateway.restart()
    expect((await gateway.pending()).id).toBe(id)
    expect(await isAdmin('omar')).toBe(false)
  })

  it('are not approved any more once something else came into force', async () => {
    await gateway.restart(() => edit(admins('platform'), admins('data-owners')))
    const first = await gateway.pending()
    await gateway.vote('lena', first, 'deny')
    await gateway.restart(() => edit(admins('data-owners'), admins('support-leads')))
    const second = await gateway.pending()
    await gateway.restart(() => edit(admins('support-leads'), admins('data-owners')))
    const { approvals } = (await (
      await gateway.person('dana', '/api/approvals?state=pending')
    ).json()) as { approvals: { id: string }[] }
    const third = approvals.find(({ id }) => id !== second.id)!
    await gateway.vote('omar', second)
    await expect.poll(() => state(second.id), soon).toBe('succeeded')
    await gateway.vote('omar', await gateway.approval(third.id))
    await expect.poll(() => state(third.id), soon).toBe('invalidated')
    expect(await isAdmin('noor')).toBe(true)
  })

  it('another issuer is nobody’s until then, and one that is taken out is trusted no more at once', async () => {
    const other = await startTokenIssuer()
    atEnd(() => other.close())
    const mine = `    - issuer: ${gateway.issuer.issuer}`
    const entry = `    - issuer: ${other.issuer}\n      audience: sallyport\n`
    await gateway.restart(() => edit(mine, `${entry}${mine}`))
    const asOther = async () => {
      const token = await other.mint({ sub: 'somebody', groups: ['agents'] })
      const headers = { authorization: `Bearer ${token}` }
      return (await fetch(`${gateway.agentsUrl}/crm/v1/customers`, { headers })).status
    }
    expect(await asOther()).toBe(401)
    expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)
    const approval = await gateway.pending()
    await gateway.vote('omar', approval)
    await expect.poll(asOther, soon).toBe(200)
    expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)

    await gateway.restart(() => edit(entry, ''))
    expect(await asOther()).toBe(401)
  })

  it('class 16: what waits with a token of an issuer that is taken out is not sent, whoever approves it', async () => {
    const other = await startTokenIssuer()
    atEnd(() => other.close())
    upstream.arrived.length = 0
    const mine = `    - issuer: ${gateway.issuer.issuer}`
    const entry = `    - issuer: ${other.issuer}\n      audience: sallyport\n      claims: { owner: owner }\n`
    await gateway.restart(() => edit(mine, `${entry}${mine}`))
    await gateway.vote('omar', await gateway.pending())
    const token = await other.mint({ sub: 'somebody', groups: ['agents'], owner: 'priya' })
    const headers = { authorization: `Bearer ${token}`, prefer: 'respond-async' }
    const send = () =>
      fetch(`${gateway.agentsUrl}/crm/v1/refunds`, { method: 'POST', headers, body: '{}' })
    await expect.poll(async () => (await send()).status, soon).toBe(202)
    const approval = await gateway.pending()

    await gateway.restart(() => edit(entry, ''))
    await gateway.vote('omar', approval)
    await expect.poll(() => state(approval.id), soon).toBe('invalidated')
    expect(upstream.arrived).toEqual([])
  })

  it('a login with another identity provider opens nothing for its people until then', async () => {
    const other = await startTokenIssuer()
    atEnd(() => other.close())
    const mine = `login: { issuer: ${gateway.issuer.issuer},`
    const entry = `    - { issuer: ${other.issuer}, audience: sallyport }\n`
    await gateway.restart(() => {
      edit(mine, `login: { issuer: ${other.issuer},`)
      edit(
        `    - issuer: ${gateway.issuer.issuer}`,
        `${entry}    - issuer: ${gateway.issuer.issuer}`,
      )
    })
    const theirs = await other.mint({
      sub: 'eve',
      kind: 'human',
      client_id: 'cli',
      groups: ['platform'],
    })
    const asEve = { headers: { authorization: `Bearer ${theirs}` } }
    expect((await fetch(`${gateway.controlUrl}/api/keys`, asEve)).status).toBe(401)
    const settings = await gateway.person('dana', '/api/login/settings')
    expect(await settings.json()).toMatchObject({ issuer: gateway.issuer.issuer })
    expect(await isAdmin('dana')).toBe(true)
    const { body } = (await gateway.pending()).action.payload as { body: { text: string } }
    expect(body.text).toContain(`+  issuer: ${other.issuer}`)
  })
})

describe('roles that change in the configuration', () => {
  it('count at once where no rule says anything, and are on record', async () => {
    await start(unruled)
    await gateway.restart(() => edit(admins('platform'), admins('data-owners')))
    expect([await isAdmin('dana'), await isAdmin('omar')]).toEqual([false, true])
    expect(await activated()).toMatchObject([
      { details: { generation: 1 } },
      { subject: { subject: 'configuration' }, details: { generation: 2 } },
    ])
  })

  it('never count where a rule denies it, and the gateway runs by those before', async () => {
    await start(rules('deny'))
    await gateway.restart(() => edit(admins('platform'), admins('data-owners')))
    expect([await isAdmin('dana'), await isAdmin('omar')]).toEqual([true, false])
    expect(gateway.logged()).toContain('a rule denies that')
  })
})

describe.skipIf(!storeKinds.includes('postgres'))('on a PostgreSQL of one’s own', () => {
  it('a team that has locked itself out is let in by the owner of the tables alone, on record', async () => {
    await start(held)
    // Nobody is in this group, and nobody but its members could administer anything.
    await gateway.restart(() => edit(admins('platform'), admins('typo')))
    await gateway.vote('omar', await gateway.pending())
    await expect.poll(() => isAdmin('dana'), soon).toBe(false)

    const owner = new pg.Client({ connectionString: gateway.databaseUrl! })
    await owner.connect()
    await owner.query('SET ROLE sallyport_gateway')
    await expect(owner.query('DELETE FROM sallyport.identity_generations')).rejects.toThrow(
      'permission denied',
    )
    await owner.query('RESET ROLE')
    await gateway.restart(() => edit(admins('typo'), admins('platform')))
    expect(await isAdmin('dana')).toBe(false)
    await owner.query('DELETE FROM sallyport.identity_generations')
    await owner.end()
    await gateway.restart()
    expect(await isAdmin('dana')).toBe(true)
    expect(await activated()).toMatchObject([
      { details: { generation: 1 } },
      { details: { generation: 2 } },
      { details: { generation: 1, instead_of: null } },
    ])
  })

  it('two replicas go by one, and one that starts with the file before does not bring it back', async () => {
    await start(unruled)
    const log = createLog('silent')
    const file = join(gateway.folder, 'sallyport.yaml')
    const before = loadConfig(file, {})
    edit(admins('platform'), admins('data-owners'))
    const second = await startGateway(loadConfig(file, {}), { log })
    atEnd(() => second.close())
    const there = gatewayClient(gateway.issuer, () => second)
    const isAdminThere = async (name: PersonName) => (await there.person(name, '/api/keys')).ok
    expect(await isAdminThere('omar')).toBe(true)
    await expect.poll(() => isAdmin('omar'), soon).toBe(true)
    expect([await isAdmin('dana'), await isAdminThere('dana')]).toEqual([false, false])

    const third = await startGateway(before, { log })
    atEnd(() => third.close())
    const late = gatewayClient(gateway.issuer, () => third)
    expect((await late.person('omar', '/api/keys')).ok).toBe(true)
    expect(await isAdmin('dana')).toBe(false)
  })
})
