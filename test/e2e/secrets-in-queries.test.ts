import { expect, it } from 'vitest'
import { startWebhookReceiver } from '../channels/webhook-receiver.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'
import { problemIn, waiting } from './requests.ts'

const rules = `
rules:
  - { name: reads, on: crm, what: { http: { method: GET } }, then: allow }
  - name: writes
    on: crm
    what: { http: { method: POST } }
    then: hold
    approval: { from: { group: support-leads }, channels: ['webhook:siem'] }
  - name: never-with-this-key
    on: crm
    what: { http: { method: DELETE } }
    when: action.http.query.api_key == 'of-the-test-environment'
    then: deny
`

const key = 'upstream-api-key-0123456789'
const signature = 'c2lnbmF0dXJlLW9mLWEtVVJM'

it('a secret in a query is forwarded, and neither recorded, logged, shown nor sent to a chat', async () => {
  const upstream = await startCountingUpstream()
  upstream.answer = (_request, response) => response.writeHead(200).end('{}')
  const secret = `whsec_${Buffer.alloc(32, 'w').toString('base64')}`
  const hook = await startWebhookReceiver(secret)
  const gateway = await startTestGateway({
    upstream: upstream.url,
    policies: { 'crm.yaml': rules },
    config: `channels: { webhooks: { siem: { url: '${hook.url}', secret: '${secret}' } } }`,
  })
  atEnd(async () => {
    await gateway.close()
    await Promise.all([upstream.close(), hook.close()])
  })
  const seen: string[] = []
  const told = async (answer: Response) => {
    seen.push(JSON.stringify([...answer.headers]), await answer.clone().text())
    return answer
  }

  const read = `/v1/customers?limit=1&api_key=${key}`
  const from = { referer: `https://app.example/v1/customers?page=3&api_key=${key}` }
  expect((await told(await gateway.agent(`/crm${read}`, { headers: from }))).status).toBe(200)
  expect(upstream.arrived.at(-1)!.headers).toMatchObject(from)
  expect(upstream.arrived.at(-1)!.url).toBe(read)

  // Two that differ in nothing but the secret look alike, and are two actions all the same.
  const write = (of: string) => `/v1/refunds?X-Amz-Signature=${of}&amount=1`
  const post = waiting({ method: 'POST', headers: from }, 0)
  const asked = await told(await gateway.agent(`/crm${write(signature)}`, post))
  const { task } = await problemIn(asked, 'approval-pending')
  const approval = await gateway.approval(task.id)
  expect(approval.action.payload['target']).toBe(
    '/v1/refunds?X-Amz-Signature=(a secret, not shown)&amount=1',
  )
  await hook.message(({ body }) => body.includes(task.id))
  await gateway.vote('dana', approval)
  await problemIn(gateway.agent(`/crm${write('forged')}`, post), 'approval-pending')
  const ran = gateway.agent(`/crm${write(signature)}`, post)
  expect((await told(await ran)).status).toBe(200)
  expect(upstream.arrived.at(-1)!.url).toBe(write(signature))

  // A rule that wants to know the value of a secret does not get it, and that is no way around it.
  await problemIn(gateway.agent(`/crm/v1?api_key=${key}`, { method: 'DELETE' }), 'denied')

  // What is there is nothing that anybody can be let in with, and no reason to write it down.
  const token = await gateway.agentToken()
  const url = `${gateway.agentsUrl}/crm/v1/customers?access_token=${token}`
  expect((await told(await fetch(url))).status).toBe(401)
  const headers = { authorization: `Bearer ${token}` }
  const nowhere = `${gateway.agentsUrl}/nowhere?access_token=${token}`
  expect((await told(await fetch(nowhere, { headers }))).status).toBe(404)
  const ambiguous = `${gateway.agentsUrl}/crm/a;b?access_token=${token}`
  expect((await told(await fetch(ambiguous, { headers }))).status).toBe(400)

  const log = async () => (await gateway.auditLog()).join('\n')
  await expect.poll(log).toContain('/crm/a;b?access_token=(a secret, not shown)')
  const everything = [
    await log(),
    gateway.logged(),
    ...seen,
    ...hook.received.map(({ body }) => body),
    await (await gateway.person('dana', '/api/approvals')).text(),
  ].join('\n')
  expect(everything).toContain('amount')
  expect(everything).toContain('page=3&api_key=(a secret, not shown)')
  for (const one of [key, signature, token]) expect(everything).not.toContain(one)
})
