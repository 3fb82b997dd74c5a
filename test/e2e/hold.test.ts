import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PendingApproval } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'
import { statusesOf } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
})

beforeEach(() => {
  upstream.arrived.length = 0
})

// No test leaves anything waiting for the next one.
afterEach(async () => {
  const left = await json(await gateway.person('noor', '/api/approvals?state=pending'))
  for (const approval of left.approvals) await gateway.vote('noor', approval, 'deny')
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

let amount = 5000

/** A refund that no other test asks for, unless it is told which. */
function refund(cents = ++amount): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ order: 'o-1', amount_cents: cents }),
  }
}

function waiting(init: RequestInit, seconds: number): RequestInit {
  return { ...init, headers: { ...(init.headers as object), prefer: `wait=${seconds}` } }
}

/** What the answers have of which these tests look at: a problem, an approval or a list of them. */
interface Body {
  readonly type: string
  readonly detail: string
  readonly task: { readonly id: string; readonly status_endpoint: string }
  readonly approvals: readonly PendingApproval[]
  readonly [member: string]: unknown
}

const json = async (response: Response) => (await response.json()) as Body

describe('what is allowed and what is denied', () => {
  it('answers with the upstream’s answer, and names the action', async () => {
    const response = await gateway.agent('/crm/v1/customers?limit=2')
    expect(response.status).toBe(200)
    expect(response.headers.get('sallyport-action')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await response.json()).toEqual({ did: 'GET /v1/customers?limit=2' })
    expect(upstream.arrived[0]!.headers.authorization).toBe('Bearer upstream-secret-of-the-test')
  })

  it('refuses what a rule denies, and says which rule and why', async () => {
    const response = await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })
    expect(response.status).toBe(403)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(await json(response)).toMatchObject({
      type: 'https://sallyport.dev/problems/denied',
      reason: 'DESTRUCTIVE',
      rules: ['nobody-deletes'],
      action: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(upstream.arrived).toEqual([])
  })

  it('refuses what no rule covers', async () => {
    const response = await gateway.agent('/crm/v1/secrets', { method: 'PUT', body: 'x' })
    expect(await json(response)).toMatchObject({ reason: 'no-rule-matched', status: 403 })
    expect(upstream.arrived).toEqual([])
  })

  it('refuses whoever does not show who they are, before anything else', async () => {
    const response = await fetch(`${gateway.agentsUrl}/nowhere`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Bearer')
  })

  it('knows no resource there', async () => {
    expect((await gateway.agent('/elsewhere')).status).toBe(404)
  })
})

describe('a held action', () => {
  it('waits until another person approves it, and then exactly it runs, once', async () => {
    const asked = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
    const approval = await gateway.pending()
    expect(upstream.arrived).toEqual([])
    expect(approval).toMatchObject({
      state: 'pending',
      rules: ['refunds-need-a-support-lead'],
      reason: 'LARGE_REFUND',
      action: { subject: { subject: 'support-agent', owner: { subject: 'priya' } } },
    })

    const voted = await gateway.vote('dana', approval)
    expect(await json(voted)).toMatchObject({ state: 'approved' })

    const response = await asked
    expect(response.status).toBe(201)
    expect(await response.json()).toEqual({ did: 'POST /v1/refunds' })
    expect(upstream.arrived).toHaveLength(1)
    expect(upstream.arrived[0]!.body).toBe(JSON.stringify({ order: 'o-1', amount_cents: amount }))
  })

  it('answers that it is pending when the wait is over, and runs when it is sent again', async () => {
    const request = refund()
    const first = await gateway.agent('/crm/v1/refunds', waiting(request, 0))
    expect(first.status).toBe(403)
    expect(first.headers.get('retry-after')).toMatch(/^\d+$/)
    const problem = await json(first)
    expect(problem).toMatchObject({
      type: 'https://sallyport.dev/problems/approval-pending',
      task: {
        status: 'pending',
        status_endpoint: expect.stringContaining('/access/v1/requests/'),
        expires_at: expect.any(String),
      },
    })

    const second = await gateway.agent('/crm/v1/refunds', waiting(request, 0))
    expect((await json(second)).task.id).toBe(problem.task.id)

    await gateway.vote('dana', await gateway.pending())
    const status = await gateway.agent(problem.task.status_endpoint)
    expect(await json(status)).toMatchObject({ task: { status: 'approved' } })

    const third = await gateway.agent('/crm/v1/refunds', waiting(request, 0))
    expect(third.status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)
  })

  it('is another action after it has run, and the approver sees that it ran before', async () => {
    const request = refund()
    const asked = gateway.agent('/crm/v1/refunds', waiting(request, 300))
    const first = await gateway.pending()
    await gateway.vote('dana', first)
    await asked
    // The answer does not wait for its outcome to be recorded.
    await expect.poll(() => gateway.approval(first.id)).toMatchObject({ state: 'succeeded' })
    const named = { ...waiting(request, 0) }
    named.headers = { ...(named.headers as object), 'sallyport-approval': first.id }
    expect(await json(await gateway.agent('/crm/v1/refunds', named))).toMatchObject({
      type: 'https://sallyport.dev/problems/approval-used',
      task: { id: first.id },
    })

    await gateway.agent('/crm/v1/refunds', waiting(request, 0))
    const again = await gateway.pending()
    expect(again.id).not.toBe(first.id)
    expect(again['ran_before']).toMatchObject({ id: first.id, state: 'succeeded' })
    await gateway.vote('dana', again, 'deny')
    expect(upstream.arrived).toHaveLength(1)
  })

  it('tells the agent what the approver said who denied it', async () => {
    const asked = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
    await gateway.vote('dana', await gateway.pending(), 'deny', { reason: 'Order was never paid.' })
    const response = await asked
    expect(response.status).toBe(403)
    const problem = await json(response)
    expect(problem.type).toBe('https://sallyport.dev/problems/approval-denied')
    expect(problem.detail).toContain('Order was never paid.')
    expect(upstream.arrived).toEqual([])
  })

  it('can be taken back by its agent', async () => {
    const first = await json(await gateway.agent('/crm/v1/refunds', waiting(refund(), 0)))
    const cancelled = await gateway.agent(`${first.task.status_endpoint}/cancel`, {
      method: 'POST',
    })
    expect(await json(cancelled)).toMatchObject({ task: { status: 'cancelled' } })
  })

  it('is nobody else’s business', async () => {
    const first = await json(await gateway.agent('/crm/v1/refunds', waiting(refund(), 0)))
    const other = await gateway.agent(first.task.status_endpoint, {}, { sub: 'other-agent' })
    expect(other.status).toBe(404)
    const owned = await gateway.agent(first.task.status_endpoint, {}, { agent_owner: 'omar' })
    expect(owned.status).toBe(404)
    await gateway.agent(`${first.task.status_endpoint}/cancel`, { method: 'POST' })
  })

  it('is refused when it is too large to be held', async () => {
    const response = await gateway.agent('/crm/v1/refunds', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'x'.repeat(2 * 1024 * 1024),
    })
    expect(response.status).toBe(413)
    expect(upstream.arrived).toEqual([])
  })

  it('cannot be approved for an agent that nobody answers for', async () => {
    const asked = await gateway.agent('/crm/v1/refunds', refund(), { agent_owner: undefined })
    expect(await json(asked)).toMatchObject({
      type: 'https://sallyport.dev/problems/denied',
      reason: 'owner-unknown',
    })
  })
})

describe('what was approved is what runs (class 11)', () => {
  it('does not run with one byte of the body changed', async () => {
    const asked = await gateway.agent('/crm/v1/refunds', waiting(refund(7001), 0))
    const first = await json(asked)
    await gateway.vote('dana', await gateway.pending())
    const changed = await gateway.agent('/crm/v1/refunds', waiting(refund(7002), 0))
    const problem = await json(changed)
    expect(problem.type).toBe('https://sallyport.dev/problems/approval-pending')
    expect(problem.task.id).not.toBe(first.task.id)

    const named = waiting(refund(7002), 0)
    named.headers = { ...(named.headers as object), 'sallyport-approval': first.task.id }
    const substituted = await gateway.agent('/crm/v1/refunds', named)
    expect((await json(substituted)).type).toBe('https://sallyport.dev/problems/approval-mismatch')
    expect(upstream.arrived).toEqual([])
    await gateway.vote('dana', await gateway.pending(), 'deny')
  })

  it('does not run with another header, target or chain (class 12)', async () => {
    const request = refund()
    await gateway.agent('/crm/v1/refunds', waiting(request, 0))
    const approval = await gateway.pending()
    await gateway.vote('dana', approval)
    const header = waiting(request, 0)
    header.headers = { ...(header.headers as object), 'x-dry-run': 'false' }
    const attempts = [
      gateway.agent('/crm/v1/refunds', header),
      gateway.agent('/crm/v1/refunds?force=1', waiting(request, 0)),
      gateway.agent('/crm/v1/refunds', waiting(request, 0), { sub: 'other-agent' }),
      gateway.agent('/crm/v1/refunds', waiting(request, 0), { agent_owner: 'omar' }),
      gateway.agent('/crm/v1/refunds', waiting(request, 0), {
        sub: 'omar',
        act: { sub: 'support-agent' },
      }),
    ]
    for (const response of await Promise.all(attempts)) {
      expect((await json(response)).type).toBe('https://sallyport.dev/problems/approval-pending')
    }
    expect(upstream.arrived).toEqual([])
    expect((await gateway.agent('/crm/v1/refunds', waiting(request, 0))).status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)
  })

  it('runs once, however often it is sent at the same time', async () => {
    const request = refund()
    const attempts = Array.from({ length: 8 }, () =>
      gateway.agent('/crm/v1/refunds', waiting(request, 300)),
    )
    const pending = await json(await gateway.agent('/crm/v1/refunds', waiting(request, 0)))
    const approval = await json(await gateway.person('dana', `/api/approvals/${pending.task.id}`))
    // One that came after the run would be a new request, and ask anew: all of them have to have joined this one.
    const joined = `/api/audit/events?type=action.decided&approval=${pending.task.id}`
    const decided = async () =>
      (await json(await gateway.person('dana', joined)))['events'] as unknown[]
    await expect.poll(decided, { timeout: 60_000 }).toHaveLength(attempts.length + 1)
    await gateway.vote('dana', approval as never)
    const answers = await Promise.all(attempts)
    expect(statusesOf(answers)).toEqual([201, 403, 403, 403, 403, 403, 403, 403])
    for (const answer of answers.filter(({ status }) => status === 403)) {
      expect((await json(answer)).type).toBe('https://sallyport.dev/problems/approval-used')
    }
    expect(upstream.arrived).toHaveLength(1)
  })
})

describe('nobody approves their own action (class 13)', () => {
  it.each([
    ['the owner of the agent', 'priya', {}],
    ['the subject itself', 'dana', { sub: 'dana', kind: 'human', agent_owner: undefined }],
    ['the person that an agent acts for', 'dana', { sub: 'dana', act: { sub: 'bot' } }],
    ['an actor in the chain', 'dana', { sub: 'omar', act: { sub: 'bot', act: { sub: 'dana' } } }],
    ['the owner under the e-mail address', 'dana', { agent_owner: 'Dana@Example.com' }],
  ] as const)('refuses %s', async (_who, voter, claims) => {
    await gateway.agent('/crm/v1/refunds', waiting(refund(), 0), claims)
    const approval = await gateway.pending()
    for (const decision of ['approve', 'deny'] as const) {
      const response = await gateway.vote(voter, approval, decision)
      expect(response.status).toBe(403)
      expect((await json(response)).type).toBe('https://sallyport.dev/problems/self-approval')
    }
    const still = await gateway.person('noor', `/api/approvals/${approval.id}`)
    expect(await json(still)).toMatchObject({ state: 'pending' })
    expect((await gateway.vote('noor', approval, 'deny')).status).toBe(200)
  })

  it('does not let an agent vote, with whatever credential', async () => {
    await gateway.agent('/crm/v1/refunds', waiting(refund(), 0))
    const approval = await gateway.pending()
    const response = await fetch(`${gateway.controlUrl}/api/approvals/${approval.id}/votes`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await gateway.agentToken({ groups: ['support-leads'] })}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        decision: 'approve',
        digest: approval.action.digest,
        view_hash: approval.view_hash,
      }),
    })
    expect(response.status).toBe(403)
    await gateway.vote('noor', approval, 'deny')
  })
})

describe('votes', () => {
  it('are for those that the rule names', async () => {
    await gateway.agent('/crm/v1/refunds', waiting(refund(), 0))
    const approval = await gateway.pending()
    const response = await gateway.vote('omar', approval)
    expect((await json(response)).type).toBe('https://sallyport.dev/problems/not-eligible')
    await gateway.vote('noor', approval, 'deny')
  })

  it('are counted by people, and two are two people', async () => {
    const asked = gateway.agent('/crm/v1/exports', { ...waiting(refund(), 300) })
    const approval = await gateway.pending()
    expect(await json(await gateway.vote('omar', approval))).toMatchObject({ state: 'pending' })
    expect((await gateway.vote('omar', approval)).status).toBe(409)
    expect(upstream.arrived).toEqual([])
    expect(await json(await gateway.vote('lena', approval))).toMatchObject({ state: 'approved' })
    expect((await asked).status).toBe(201)
  })

  it('end with one denial', async () => {
    const asked = gateway.agent('/crm/v1/exports', { ...waiting(refund(), 300) })
    const approval = await gateway.pending()
    await gateway.vote('omar', approval)
    await gateway.vote('lena', approval, 'deny')
    expect((await json(await asked)).type).toBe('https://sallyport.dev/problems/approval-denied')
  })

  it('count only for what was seen', async () => {
    await gateway.agent('/crm/v1/refunds', waiting(refund(), 0))
    const approval = await gateway.pending()
    for (const seen of [{ digest: '0'.repeat(64) }, { view_hash: '0'.repeat(64) }]) {
      const response = await gateway.vote('dana', approval, 'approve', seen)
      expect(response.status).toBe(409)
      expect((await json(response)).type).toBe('https://sallyport.dev/problems/view-changed')
    }
    await gateway.vote('dana', approval, 'deny')
  })

  it('come too late, and say who was first', async () => {
    await gateway.agent('/crm/v1/refunds', waiting(refund(), 0))
    const approval = await gateway.pending()
    await gateway.vote('noor', approval, 'deny')
    const late = await gateway.vote('dana', approval)
    expect(late.status).toBe(409)
    expect(await json(late)).toMatchObject({
      type: 'https://sallyport.dev/problems/already-resolved',
      resolution: { by: { subject: 'noor' } },
    })
  })
})
