import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'
import { problemIn, refund } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
  for (const id of ['c-1', 'c-2', 'c-3']) await gateway.agent(`/crm/v1/customers/${id}`)
  await gateway.agent('/crm/v1/notes', { method: 'POST', body: 'a note' })
  await problemIn(gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' }), 'denied')
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

/** Replays as an engineer does with the folder of a pull request. */
async function replay(name: string, text: string, ...options: string[]) {
  const folder = join(gateway.folder, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'crm.yaml'), text)
  return sallyport(['policy', 'replay', '--since', '1h', '--policies', name, ...options], {
    folder: gateway.folder,
    environment: {
      SALLYPORT_URL: gateway.controlUrl,
      SALLYPORT_TOKEN: await gateway.personToken('dana'),
    },
  })
}

const before = policies['crm.yaml']
const lines = (out: string) => out.trimEnd().split('\n')
const parsed = (out: string) => lines(out).map((line) => JSON.parse(line))

const denyNotes = `${before}
  - name: no-notes
    on: crm
    what: { http: { method: POST, path: /v1/notes } }
    then: deny
    reason: NO_NOTES
`

describe('policy replay', () => {
  it('finds no difference for policies that say the same', async () => {
    const { code, out } = await replay('same', before)
    expect(code).toBe(0)
    expect(out).toBe('5 actions: 0 would have been decided otherwise, 5 the same.\n')
  })

  it('lists what would be decided otherwise, why it was and why it would be, with exit code 1', async () => {
    const { code, out, notes } = await replay('no-notes', denyNotes)
    expect(code).toBe(1)
    expect(notes).toContain('decide otherwise than what is on record')
    expect(out).toMatch(/crm {2}POST \/v1\/notes\n {4}allow → deny {2}\(.* support-agent, action /)
    expect(out).toContain('    was  allow: rule-allowed by agents-note\n')
    expect(out).toContain('    now  deny: NO_NOTES by no-notes\n')
    expect(lines(out).slice(-2)).toEqual([
      '5 actions: 1 would have been decided otherwise, 4 the same.',
      '1 × allow → deny on crm: no-notes',
    ])
  })

  it('is for programs, too: a line for each, and the sums in the last one', async () => {
    const narrower = before.replace('[POST, PUT, PATCH]', '[PUT, PATCH]')
    const { code, out } = await replay('narrower', narrower, '--json')
    expect(code).toBe(1)
    const [first, last, ...more] = parsed(out)
    expect(more).toEqual([])
    expect(first.difference).toMatchObject({
      resource: 'crm',
      summary: 'POST /v1/notes',
      before: { verdict: 'allow', rules: ['agents-note'], explanation: { rules: { length: 5 } } },
      after: { decision: { verdict: 'deny', reason: 'no-rule-matched', rules: [] } },
    })
    expect(last.summary).toEqual({
      actions: 5,
      same: 4,
      different: 1,
      erased: 0,
      unrecorded: 0,
      unreadable: 0,
      by_other_rules: 0,
      changes: [{ resource: 'crm', from: 'allow', to: 'deny', rule: null, actions: 1 }],
    })
  })

  it('counts what the same verdict rests on otherwise, and is no difference', async () => {
    const { code, out } = await replay('renamed', before.replace('agents-read', 'readers'))
    expect(code).toBe(0)
    expect(out).toContain(
      '0 would have been decided otherwise, 5 the same (3 of them by other rules)',
    )
  })

  it('guesses at no body that nobody read, and says how many that are', async () => {
    const looks = `${before}
  - name: secret-notes
    on: crm
    what: { http: { method: POST } }
    when: action.http.json.secret == true
    then: deny
`
    const { code, out } = await replay('bodies', looks, '--json')
    expect(code).toBe(0)
    expect(parsed(out)[0].summary).toMatchObject({ actions: 5, same: 4, unrecorded: 1 })
  })

  it('decides by a body that was read', async () => {
    const looks = (most: number) => `${before}
  - name: large-refunds
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    when: action.http.json.amount_cents > ${most}
    then: deny
`
    await gateway.restart(() =>
      writeFileSync(join(gateway.folder, 'policies/crm.yaml'), looks(1_000_000)),
    )
    const held = await gateway.agent('/crm/v1/refunds', {
      ...refund(),
      headers: { ...refund().headers, prefer: 'wait=0' },
    })
    await problemIn(Promise.resolve(held), 'approval-pending')
    const { code, out } = await replay('small', looks(1), '--json')
    expect(code).toBe(1)
    const { summary } = parsed(out).at(-1)
    expect(summary.changes).toEqual([
      { resource: 'crm', from: 'hold', to: 'deny', rule: 'large-refunds', actions: 1 },
    ])
  })

  it('says where policies have mistakes, and asks nobody', async () => {
    const { code, notes } = await replay('misspelt', before.replace('on: crm', 'on: cmr'))
    expect(code).toBe(1)
    expect(notes).toContain('misspelt/crm.yaml:5:')
  })

  it('can be asked by a pipeline, with a key that reads the log and nothing else', async () => {
    const made = await gateway.person('dana', '/api/keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'pull-requests', groups: [], scopes: ['audit:read'] }),
    })
    expect(made.status).toBe(201)
    const { token } = (await made.json()) as { token: string }
    const argv = ['policy', 'replay', '--since', '1h', '--policies', 'no-notes']
    const environment = { SALLYPORT_URL: gateway.controlUrl, SALLYPORT_TOKEN: token }
    const { code, out } = await sallyport(argv, { folder: gateway.folder, environment })
    expect(code).toBe(1)
    expect(out).toContain('1 × allow → deny on crm: no-notes')
  })

  it('is for auditors', async () => {
    const body = JSON.stringify({ from: new Date(0).toISOString() })
    const headers = { 'content-type': 'application/json' }
    const answer = gateway.person('omar', '/api/policies/replay', { method: 'POST', headers, body })
    await problemIn(answer, 'forbidden')
  })

  it('refuses policies that nobody could put into force', async () => {
    const documents = [{ file: 'crm.yaml', text: 'rules: [{ name: x }]' }]
    const body = JSON.stringify({ from: new Date(0).toISOString(), documents })
    const headers = { 'content-type': 'application/json' }
    const answer = gateway.person('dana', '/api/policies/replay', { method: 'POST', headers, body })
    await problemIn(answer, 'bad-request')
  })
})
