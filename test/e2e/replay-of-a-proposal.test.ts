import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PersonName } from '../support/gateway-client.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { problemIn, refund, waiting } from './requests.ts'

const inForce = `
rules:
  - name: agents-read
    on: crm
    what: { http: { method: GET } }
    then: allow
  - name: refunds-are-held
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }
  - name: somebody-else-looks-at-it
    on: sallyport
    what: { admin: { operation: policy.activate } }
    then: hold
    risk: high
    approval: { from: { group: approvers } }
`
const proposed = `${inForce}
  - name: nobody-reads-customers
    on: crm
    what: { http: { method: GET, path: /v1/customers/** } }
    then: deny
`

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies: { 'crm.yaml': inForce } })
  for (const id of ['c-1', 'c-2']) await gateway.agent(`/crm/v1/customers/${id}`)
  await gateway.agent('/crm/v1/orders')
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const replay = async (id: string, name: PersonName, query = '') => {
  const answer = await gateway.person(name, `/api/approvals/${id}/replay${query}`)
  expect(answer.status).toBe(200)
  return (await answer.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('a change of the policies that waits for approval', () => {
  let id: string

  beforeAll(async () => {
    const answer = await gateway.person('dana', '/api/policies/proposals', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ documents: [{ file: 'crm.yaml', text: proposed }] }),
    })
    expect(answer.status).toBe(202)
    id = ((await answer.json()) as { approval: string }).approval
  })

  it('comes with what it would have decided otherwise, each with both explanations, for an auditor', async () => {
    const lines = await replay(id, 'dana')
    const differences = lines.flatMap((line) => ('difference' in line ? [line['difference']] : []))
    expect(differences).toMatchObject([
      {
        summary: 'GET /v1/customers/c-1',
        before: { verdict: 'allow', rules: ['agents-read'], explanation: expect.anything() },
        after: { decision: { verdict: 'deny', rules: ['nobody-reads-customers'] } },
      },
      { summary: 'GET /v1/customers/c-2' },
    ])
    const rule = { rule: 'nobody-reads-customers', from: 'allow', to: 'deny', actions: 2 }
    expect(lines.at(-1)).toMatchObject({ summary: { different: 2, changes: [rule] } })
  })

  it('tells whoever decides how many it is, and not who did what', async () => {
    const lines = await replay(id, 'omar')
    expect(lines.at(-1)).toMatchObject({ summary: { different: 2 } })
    expect(JSON.stringify(lines)).not.toMatch(/support-agent|customers\/c-1/)
    // Only since then.
    const from = `?from=${new Date().toISOString()}`
    expect((await replay(id, 'omar', from)).at(-1)).toMatchObject({ summary: { actions: 0 } })
  })

  it('is nothing to anybody else, and there is none of any other action', async () => {
    await problemIn(gateway.person('noor', `/api/approvals/${id}/replay`), 'not-found')
    expect(
      (await gateway.vote('omar', await gateway.pending(), 'deny', { reason: 'no' })).status,
    ).toBe(200)
    await problemIn(gateway.agent('/crm/v1/refunds', waiting(refund(), 0)), 'approval-pending')
    const held = await gateway.pending()
    await problemIn(gateway.person('dana', `/api/approvals/${held.id}/replay`), 'not-found')
  })
})
