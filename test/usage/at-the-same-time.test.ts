import { beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PendingApproval } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

const policies = {
  'crm.yaml': `rules:
  - { name: all, on: crm, what: { http: { method: [GET, POST] } }, then: allow }
  - name: changes-need-a-lead
    on: crm
    what: { http: { method: PUT } }
    then: hold
    approval: { from: { group: support-leads }, scope: [once, { minutes: 10, match: [http.path] }] }
  - name: five-a-day
    on: crm
    when: 'usage.actions(subject, "reports", "24h") >= 5'
    then: deny
    reason: BUDGET
`,
}

const soon = { timeout: 60_000 }

let upstream: CountingUpstream
let gateway: TestGateway
// Those that run, and wait for their answer.
const running: (() => void)[] = []

beforeAll(async () => {
  upstream = await startCountingUpstream()
  upstream.answer = (_request, response) => void running.push(() => response.end('{}'))
  const config = `datasets: [{ name: reports, routes: [{ on: crm, route: '* /v1/reports' }] }]`
  gateway = await startTestGateway({ upstream: upstream.url, config, policies })
  atEnd(async () => {
    await gateway.close()
    await upstream.close()
  })
})

/** How so many of them are answered, all at once. None of those that run ends before all of them were decided. */
async function statusesOf(count: number, ask: (index: number) => Promise<Response>) {
  let denied = 0
  const asked = Array.from({ length: count }, async (_, index) => {
    const { status } = await ask(index)
    if (status === 403) denied++
    return status
  })
  await expect.poll(() => denied + running.length, soon).toBe(count)
  for (const answer of running.splice(0)) answer()
  return (await Promise.all(asked)).toSorted((a, b) => a - b)
}

const some = (ran: number, of: number) => [
  ...Array<number>(ran).fill(200),
  ...Array<number>(of - ran).fill(403),
]

// A read is sent before its record is durable, and all others after it.
test.each(['GET', 'POST'])(
  'of many that ask at the same time, a budget of five actions lets five run: %s',
  async (method) => {
    const agent = { sub: `who-sends-${method}` }
    const statuses = statusesOf(20, () => gateway.agent('/crm/v1/reports', { method }, agent))
    expect(await statuses).toEqual(some(5, 20))
  },
)

const change = (index: number, wait: number) => ({
  method: 'PUT',
  headers: { prefer: `wait=${wait}` },
  body: `report ${index}`,
})

test('of many that people release at the same time, a budget of five actions lets five run', async () => {
  const agent = { sub: 'who-is-released' }
  const statuses = statusesOf(12, (index) =>
    gateway.agent('/crm/v1/reports', change(index, 300), agent),
  )
  const pending = async () => {
    const response = await gateway.person('dana', '/api/approvals?state=pending')
    return ((await response.json()) as { approvals: PendingApproval[] }).approvals
  }
  await expect.poll(async () => (await pending()).length, soon).toBe(12)
  await Promise.all((await pending()).map((approval) => gateway.vote('dana', approval)))
  expect(await statuses).toEqual(some(5, 12))
})

test('of many that come at the same time under a grant, a budget of five actions lets five run', async () => {
  const agent = { sub: 'who-has-a-grant' }
  const first = statusesOf(1, (index) =>
    gateway.agent('/crm/v1/reports', change(index, 300), agent),
  )
  const scope = { scope: { minutes: 10 } }
  await gateway.vote('dana', await gateway.pending(), 'approve', scope)
  expect(await first).toEqual([200])
  const more = statusesOf(20, (index) =>
    gateway.agent('/crm/v1/reports', change(index + 1, 0), agent),
  )
  expect(await more).toEqual(some(4, 20))
})
