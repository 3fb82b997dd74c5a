import { beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

const policies = {
  'crm.yaml': `rules:
  - { name: all, on: crm, what: { http: { method: [GET, POST] } }, then: allow }
  - name: five-a-day
    on: crm
    when: 'usage.actions(subject, "reports", "24h") >= 5'
    then: deny
    reason: BUDGET
`,
}

let upstream: CountingUpstream
let gateway: TestGateway
// Those that run, and wait for their answer.
let running: (() => void)[] = []

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

// A read is sent before its record is durable, and all others after it.
test.each(['GET', 'POST'])(
  'of many that ask at the same time, a budget of five actions lets five run: %s',
  async (method) => {
    let denied = 0
    const asked = Array.from({ length: 20 }, async () => {
      const agent = { sub: `who-sends-${method}` }
      const { status } = await gateway.agent('/crm/v1/reports', { method }, agent)
      if (status === 403) denied++
      return status
    })
    // None of those that run ends before all of them were decided.
    await expect.poll(() => denied + running.length).toBe(20)
    for (const answer of running) answer()
    running = []
    const statuses = (await Promise.all(asked)).toSorted((a, b) => a - b)
    expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(15).fill(403)])
  },
)
