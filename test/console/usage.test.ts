import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    config: `datasets:
  - name: orders
    classes: [pii]
    routes: [{ on: crm, route: '* /v1/orders/**' }]
`,
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

async function report(query: string): Promise<unknown> {
  const answer = await gateway.person('dana', `/api/usage?${query}`)
  expect(answer.status).toBe(200)
  return answer.json()
}

test('what agents did is counted once it is decided, and what came back once it has', async () => {
  await (await gateway.agent('/crm/v1/orders')).text()
  await (await gateway.agent('/crm/v1/orders', { method: 'DELETE' })).text()
  const usage = [{ name: 'support-agent', actions: 2, denied: 1, held: 0, runs: 1 }]
  await expect
    .poll(() => report('by=subject'), { timeout: 60_000 })
    .toMatchObject({ by: 'subject', step_seconds: 3_600, counted_until: expect.any(String), usage })
  expect(await report('by=dataset&class=pii')).toMatchObject({
    usage: usage.map((one) => ({ ...one, name: 'orders' })),
  })
  expect(await report('by=class&subject=nobody')).toMatchObject({ usage: [] })
  const answer = await gateway.person('dana', '/api/usage/first')
  const uses = [{ subject: 'support-agent', resource: 'crm', item: 'class pii' }]
  expect(await answer.json()).toMatchObject({
    first_uses: [...uses, { ...uses[0], item: 'dataset orders' }],
  })
})

test('it is for auditors', async () => {
  expect((await gateway.person('omar', '/api/usage?by=subject')).status).toBe(403)
})

test.each([
  ['by=column', 'by'],
  ['by=subject&subject=%00', 'NUL'],
  ['by=subject&from=2026-11-02&to=2026-11-01', '`from` has to be before `to`.'],
  ['by=subject&from=2024-01-01&to=2026-01-01', 'A range has at most 366 days.'],
  ['by=subject&from=soon', 'from'],
])('%s is refused, and it says why', async (query, why) => {
  const answer = await gateway.person('dana', `/api/usage?${query}`)
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain(why)
})
