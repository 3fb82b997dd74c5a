import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { policies } from '../e2e/policies.ts'
import { waiting } from '../e2e/requests.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

const token = 'the-token-that-prometheus-has'
let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    config: `metrics: { token: ${token} }`,
  })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const scrape = (authorization?: string) =>
  fetch(`${gateway.controlUrl}/metrics`, { headers: authorization ? { authorization } : {} })

/** The lines of a scrape, by what is before their value. */
async function samples(): Promise<Map<string, number>> {
  const text = await (await scrape(`Bearer ${token}`)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

/** Waits until the sample has the value: events of a transaction are counted when they are linked, a moment after the answer. */
async function counted(sample: string, value: number): Promise<void> {
  for (;;) {
    if ((await samples()).get(sample) === value) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const refund = (cents: number): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ order: 'o-1', amount_cents: cents }),
})

test('a scrape needs the token of the configuration', async () => {
  expect((await scrape()).status).toBe(401)
  expect((await scrape('Bearer something else')).status).toBe(401)
  expect((await scrape(`Bearer ${await gateway.personToken('dana')}`)).status).toBe(401)
  const response = await scrape(`Bearer ${token}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
})

test('decisions, runs, errors and refusals are counted; what never happened yet is 0', async () => {
  await counted('sallyport_decisions_total{resource="crm",verdict="deny"}', 0)
  await counted('sallyport_unknown_outcomes_total{resource="crm"}', 0)

  await gateway.agent('/crm/v1/customers')
  await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })
  await counted('sallyport_decisions_total{resource="crm",verdict="allow"}', 1)
  await counted('sallyport_decisions_total{resource="crm",verdict="deny"}', 1)
  await counted('sallyport_action_duration_seconds_count{resource="crm",outcome="succeeded"}', 1)

  upstream.answer = (_request, response) => response.destroy()
  await gateway.agent('/crm/v1/customers')
  await gateway.agent('/crm/v1/notes', { method: 'POST' })
  await counted('sallyport_action_errors_total{resource="crm",error="upstream-unreachable"}', 2)
  await counted('sallyport_action_duration_seconds_count{resource="crm",outcome="failed"}', 1)
  // The note may have been taken: somebody has to look.
  await counted('sallyport_unknown_outcomes_total{resource="crm"}', 1)

  await fetch(`${gateway.agentsUrl}/crm/v1/customers`, { headers: { authorization: 'Bearer x' } })
  await counted('sallyport_authentication_refusals_total{reason="malformed"}', 1)
})

test('what waits for people, who may not decide, and how long the others took', async () => {
  const held = gateway.agent('/crm/v1/refunds', waiting(refund(9_000), 300))
  const approval = await gateway.pending()
  await counted('sallyport_holds_waiting', 1)
  await counted('sallyport_approvals_open{state="pending"}', 1)
  await counted('sallyport_approvals_requested_total{resource="crm"}', 1)

  await gateway.vote('priya', approval)
  await counted('sallyport_vote_refusals_total{reason="self-approval"}', 1)

  await gateway.vote('dana', approval, 'deny')
  expect((await held).status).toBe(403)
  await counted('sallyport_approvals_resolved_total{resource="crm",state="denied"}', 1)
  await counted('sallyport_approval_decision_seconds_count{state="denied"}', 1)
  await counted('sallyport_approvals_open{state="pending"}', 0)
  await counted('sallyport_holds_waiting', 0)
})

test('the replica, its store and its policies', async () => {
  const now = await samples()
  const labels = (name: string) => [...now.keys()].find((sample) => sample.startsWith(`${name}{`))
  expect(labels('sallyport_build_info')).toMatch(/version="\d+\.\d+\.\d+"/)
  expect(labels('sallyport_store_info')).toMatch(/kind="(postgres|embedded)"/)
  expect(labels('sallyport_policy_info')).toMatch(/hash="[0-9a-f]{64}"/)
  expect(now.get('sallyport_policy_rules')).toBe(5)
  expect(now.get('sallyport_store_up')).toBe(1)
  expect(now.get('sallyport_lease_held')).toBe(1)
  expect(now.get('sallyport_audit_queue_events')).toBe(0)
  expect(now.get('sallyport_audit_append_failures_total')).toBe(0)
  expect(now.get('sallyport_audit_events_total')).toBeGreaterThan(10)
  expect(now.get('sallyport_audit_flush_seconds_count')).toBeGreaterThan(5)
  expect(now.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0)
})

test('no label says who, where or what exactly', async () => {
  const text = await (await scrape(`Bearer ${token}`)).text()
  expect(text).not.toMatch(/support-agent|priya|\/v1\/|upstream-secret/)
  const ours = text.split('\n').filter((line) => line.startsWith('sallyport_'))
  const labels = ours.flatMap((line) => [...line.matchAll(/[{,](\w+)="/g)].map(([, name]) => name!))
  expect([...new Set(labels)].toSorted((a, b) => a.localeCompare(b))).toEqual([
    'error',
    'hash',
    'kind',
    'le',
    'outcome',
    'part',
    'reason',
    'resource',
    'state',
    'verdict',
    'version',
  ])
})
