import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies: {
      'crm.yaml': `rules:
  - name: agents-read
    who: { group: agents }
    on: crm
    what: { http: { method: GET } }
    then: allow
`,
    },
  })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

test('what agents did is counted once it is decided, and what came back once it has', async () => {
  await (await gateway.agent('/crm/v1/orders')).text()
  await (await gateway.agent('/crm/v1/orders', { method: 'DELETE' })).text()
  const answer = await gateway.person('dana', '/api/usage?by=subject')
  expect(answer.status).toBe(200)
  const report = (await answer.json()) as { usage: Record<string, unknown>[] }
  expect(report).toMatchObject({ by: 'subject', step_seconds: 900, counted_from: null })
  const sum = (name: string) =>
    report.usage.reduce((total, stretch) => total + Number(stretch[name]), 0)
  expect(new Set(report.usage.map(({ name }) => name))).toEqual(new Set(['support-agent']))
  expect([sum('actions'), sum('denied'), sum('held')]).toEqual([2, 1, 0])
})

test('it is for auditors', async () => {
  expect((await gateway.person('omar', '/api/usage?by=subject')).status).toBe(403)
})

test.each([
  ['by=dataset', 'by'],
  ['by=subject&from=2026-11-02&to=2026-11-01', '`from` has to be before `to`.'],
  ['by=subject&from=2024-01-01&to=2026-01-01', 'A range has at most 366 days.'],
  ['by=subject&from=soon', 'from'],
])('%s is refused, and it says why', async (query, why) => {
  const answer = await gateway.person('dana', `/api/usage?${query}`)
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain(why)
})
