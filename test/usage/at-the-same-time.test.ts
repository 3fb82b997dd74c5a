import { expect, test } from 'vitest'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

test.each(['GET', 'POST'])(
  'of many that ask at the same time, a budget of five actions lets five run: %s',
  async (method) => {
    const upstream = await startCountingUpstream()
    const held: (() => void)[] = []
    upstream.answer = (_request, response) => void held.push(() => response.end('{}'))
    const gateway = await startTestGateway({
      upstream: upstream.url,
      config: `datasets: [{ name: reports, routes: [{ on: crm, route: '* /v1/reports' }] }]`,
      policies: {
        'crm.yaml': `rules:
  - { name: all, on: crm, what: { http: { method: [GET, POST] } }, then: allow }
  - name: five-a-day
    on: crm
    when: 'usage.actions(subject, "reports", "24h") >= 5'
    then: deny
    reason: BUDGET
`,
      },
    })
    atEnd(async () => {
      await gateway.close()
      await upstream.close()
    })
    let denied = 0
    const asked = Array.from({ length: 20 }, async () => {
      const { status } = await gateway.agent('/crm/v1/reports', { method })
      if (status === 403) denied++
      return status
    })
    // None of those that run ends before all of them were decided.
    await expect.poll(() => denied + held.length, { timeout: 60_000 }).toBe(20)
    for (const answer of held) answer()
    const statuses = (await Promise.all(asked)).toSorted((a, b) => a - b)
    expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(15).fill(403)])
    expect(upstream.arrived).toHaveLength(5)
  },
)
