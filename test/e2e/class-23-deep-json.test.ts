import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

const policies = {
  'rules.yaml': `rules:
  - { name: reads, who: { group: agents }, on: crm, what: { http: { path: /v1/** } }, then: allow }
  - name: amounts
    who: { group: agents }
    on: crm
    what: { http: { path: /v2/** } }
    when: "action.http.json.amount > 5"
    then: allow
  - name: held
    who: { group: agents }
    on: crm
    what: { http: { path: /v3/** } }
    then: hold
    approval: { from: { group: support-leads } }
`,
}

/** PostgreSQL goes down as deep as JSON does, and the embedded one knows no end of its stack. */
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

describe('attack class 23: JSON that is deeper than the embedded database can go', () => {
  let upstream: CountingUpstream
  let gateway: TestGateway

  beforeAll(async () => {
    upstream = await startCountingUpstream()
    gateway = await startTestGateway({ upstream: upstream.url, policies, store: 'embedded' })
  })
  afterAll(async () => {
    await gateway.close()
    await upstream.close()
  })

  const json = (body: string, headers: Record<string, string> = {}) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const within = (inner: string) => `{"amount":9,"a":${inner}}`

  test('does not get there, whichever way an agent sends it', async () => {
    const answers: Record<string, string> = {}
    const send = async (name: string, answer: Promise<Response>) => {
      const response = await answer
      const { type } = (await response.json().catch(() => ({}))) as { type?: string }
      answers[name] = type?.split('/').at(-1) ?? String(response.status)
      // It comes back: what is asked next is decided, and on record.
      expect([name, (await gateway.agent('/crm/v1/customers')).status]).toEqual([name, 200])
    }
    for (const levels of [60, 100_000]) {
      const body = within(deep(levels))
      const prefer = { prefer: 'wait=0' }
      await send(`allowed, ${levels}`, gateway.agent('/crm/v1/orders', json(body)))
      await send(`looked at, ${levels}`, gateway.agent('/crm/v2/orders', json(body)))
      await send(`held, ${levels}`, gateway.agent('/crm/v3/orders', json(body, prefer)))
    }
    const text = deep(500)
    await send('in a query', gateway.agent(`/crm/v1/orders?a=${encodeURIComponent(text)}`))
    await send(
      'as a reason',
      gateway.agent('/crm/v3/reason', json('{}', { 'sallyport-reason': text, prefer: 'wait=0' })),
    )
    await send('in a claim', gateway.agent('/crm/v1/orders', {}, { note: JSON.parse(deep(1_000)) }))
    const token = await gateway.personToken('dana')
    const evaluation = (properties: string) =>
      fetch(`${gateway.controlUrl}/access/v1/evaluation`, {
        ...json(
          `{"subject":{"type":"agent","id":"a"},"resource":{"type":"api","id":"crm"},"action":{"name":"http.request","properties":${properties}},"context":${properties}}`,
          { authorization: `Bearer ${token}` },
        ),
      })
    await send('to be evaluated', evaluation(within(deep(100_000))))
    expect(answers).toEqual({
      'allowed, 60': '201',
      'looked at, 60': '201',
      'held, 60': 'approval-pending',
      // As bytes that nobody reads.
      'allowed, 100000': '201',
      'looked at, 100000': 'denied',
      'held, 100000': 'ambiguous-request',
      'in a query': '200',
      'as a reason': 'approval-pending',
      'in a claim': 'unauthenticated',
      'to be evaluated': 'bad-request',
    })
    const events = await gateway.auditLog()
    expect(events.length).toBeGreaterThan(5)
  })
})
