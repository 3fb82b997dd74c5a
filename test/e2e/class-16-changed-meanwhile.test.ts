import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PendingApproval, PersonName } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { problemIn, refund, waiting } from './requests.ts'

const policies = `
rules:
  - name: refunds-need-a-lead
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }
  - name: exports-need-two-owners
    on: crm
    what: { http: { method: POST, path: /v1/exports } }
    then: hold
    approval: { from: { group: data-owners }, quorum: 2 }
  - name: urgent-ones-do-not-wait-long
    on: crm
    what: { http: { method: POST, path: /v1/urgent } }
    then: hold
    approval: { from: { group: support-leads }, expires: 2s }
`

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies: { 'crm.yaml': policies } })
})

beforeEach(() => {
  upstream.arrived.length = 0
})

// No test leaves anything waiting for the next one. The owner of an agent can take back what it asked for.
afterEach(async () => {
  const waiting = await gateway.person('priya', '/api/approvals?state=pending')
  const { approvals } = (await waiting.json()) as { approvals: PendingApproval[] }
  for (const { id } of approvals) {
    await gateway.person('priya', `/api/approvals/${id}/cancel`, { method: 'POST' })
  }
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

async function ask(request: RequestInit, path = '/crm/v1/refunds'): Promise<PendingApproval> {
  const { task } = await problemIn(gateway.agent(path, waiting(request, 0)), 'approval-pending')
  return gateway.approval(task.id)
}

/** Somebody comes back, and their identity provider says something else about them. */
async function comesAs(name: PersonName, claims: Record<string, unknown>): Promise<void> {
  const authorization = `Bearer ${await gateway.personToken(name, claims)}`
  const response = await fetch(`${gateway.controlUrl}/api/me`, { headers: { authorization } })
  expect(response.status).toBe(200)
}

describe('between the vote and the run', () => {
  it('an approver leaves the group: it does not run', async () => {
    const request = refund()
    const approval = await ask(request)
    expect((await gateway.vote('noor', approval)).status).toBe(200)
    await comesAs('noor', { groups: ['sales'] })
    await problemIn(gateway.agent('/crm/v1/refunds', waiting(request, 0)), 'approval-invalidated')
    expect(upstream.arrived).toEqual([])
    // It is asked anew, of whoever is eligible now.
    expect((await ask(request)).id).not.toBe(approval.id)
  })

  it('an approver turns out to be the owner of the agent (class 13): it does not run', async () => {
    const request = refund()
    const approval = await ask(request)
    expect((await gateway.vote('dana', approval)).status).toBe(200)
    await comesAs('dana', { preferred_username: 'Priya' })
    await problemIn(gateway.agent('/crm/v1/refunds', waiting(request, 0)), 'approval-invalidated')
    expect(upstream.arrived).toEqual([])
  })

  it('the key of the agent is revoked: it does not run, whether it waits or comes back', async () => {
    const created = await gateway.person('dana', '/api/keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'night-bot',
        owner: { subject: 'priya', issuer: gateway.issuer.issuer },
      }),
    })
    const { key, token } = (await created.json()) as { key: { id: string }; token: string }
    const send = (request: RequestInit) =>
      fetch(`${gateway.agentsUrl}/crm/v1/exports`, {
        ...request,
        headers: { ...(request.headers as object), authorization: `Bearer ${token}` },
      })
    const request = refund()
    const asked = send(waiting(request, 300))
    const approval = await gateway.pending()
    await gateway.vote('omar', approval)
    const revoked = await gateway.person('dana', `/api/keys/${key.id}/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(revoked.status).toBe(200)
    expect((await gateway.vote('lena', approval)).status).toBe(200)
    await problemIn(asked, 'unauthenticated')
    await problemIn(send(waiting(request, 0)), 'unauthenticated')
    expect(upstream.arrived).toEqual([])
  })
})

describe('an approval that is past its time', () => {
  /** Two seconds are not enough for every machine at every time: then it asks anew. */
  async function approvedInTime() {
    for (;;) {
      const request = refund()
      const approval = await ask(request, '/crm/v1/urgent')
      if ((await gateway.vote('noor', approval)).status === 200) return { request, approval }
    }
  }

  it('takes no vote, says so to whoever waits, and is asked for anew', async () => {
    const request = refund()
    const asked = gateway.agent('/crm/v1/urgent', waiting(request, 300))
    const { task } = await problemIn(asked, 'approval-expired')
    const approval = await gateway.approval(task.id)
    const late = await problemIn(gateway.vote('noor', approval), 'already-resolved')
    expect(late.detail).toContain('expired')
    const again = await ask(request, '/crm/v1/urgent')
    expect(again.id).not.toBe(approval.id)
    expect(upstream.arrived).toEqual([])
  })

  it('cannot be used, although it was approved', async () => {
    const { request, approval } = await approvedInTime()
    const expired = { state: 'expired' }
    await expect
      .poll(() => gateway.approval(approval.id), { timeout: 60_000 })
      .toMatchObject(expired)
    const named = waiting(request, 0)
    named.headers = { ...(named.headers as object), 'sallyport-approval': approval.id }
    await problemIn(gateway.agent('/crm/v1/urgent', named), 'approval-expired')
    expect(upstream.arrived).toEqual([])
  })
})
