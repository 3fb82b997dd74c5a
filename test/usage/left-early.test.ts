import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'

const large = 4 * 1024 * 1024

test('who goes away before the last byte of an answer has used up the budget with all the others', async () => {
  const upstream = await startCountingUpstream()
  upstream.answer = (_request, response) =>
    // One byte never comes, so no answer is ever whole.
    response.writeHead(200, { 'content-length': large + 1 }).write(Buffer.alloc(large))
  const gateway = await startTestGateway({
    upstream: upstream.url,
    config: `datasets: [{ name: exports, routes: [{ on: crm, route: 'GET /v1/export' }] }]`,
    policies: {
      'crm.yaml': `rules:
  - { name: reads, on: crm, what: { http: { method: GET } }, then: allow }
  - name: a-megabyte-a-day
    on: crm
    when: 'usage.bytes(subject, "exports", "24h") > 1000000'
    then: deny
    reason: BUDGET
`,
    },
  })
  atEnd(async () => {
    await gateway.close()
    await upstream.close()
  })
  const headers = { authorization: `Bearer ${await gateway.agentToken()}` }
  const asking = get(`${gateway.agentsUrl}/crm/v1/export`, { headers })
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  let read = 0
  for await (const chunk of answer) {
    read += (chunk as Buffer).length
    if (read >= large) break
  }
  asking.destroy()

  const again = async () => (await gateway.agent('/crm/v1/export')).status
  await expect.poll(() => gateway.auditLog().then((log) => log.join())).toContain('client-gone')
  expect(await again()).toBe(403)
  const answered = await gateway.person('dana', '/api/audit/events?type=action.completed')
  const { events } = (await answered.json()) as { events: object[] }
  expect(events).toMatchObject([{ outcome: { result: 'failed', bytes: large } }])
})
