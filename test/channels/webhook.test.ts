import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebhookChannel } from '../../src/channels/webhook/channel.ts'
import { webhookPayload } from '../../src/channels/webhook/payload.ts'
import { post } from '../../src/channels/webhook/post.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const policies = {
  'policies.yaml': `rules:
  - { name: writes, on: crm, what: { http: { method: POST } }, then: allow }
  - name: refunds
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }
`,
}

let receiver: WebhookReceiver
let dead: WebhookReceiver
let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  receiver = await startWebhookReceiver(secret)
  dead = await startWebhookReceiver(secret)
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    config: `channels:
  default: { to: ['webhook:erp', 'webhook:dead'] }
  webhooks:
    erp: { url: '${receiver.url}', secret: ${secret} }
    dead: { url: '${dead.url}', secret: ${secret} }`,
  })
})

afterAll(async () => {
  await gateway.close()
  await Promise.all([receiver.close(), dead.close(), upstream.close()])
})

function refund(order: string): Promise<Response> {
  return gateway.agent('/crm/v1/refunds', {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify({ order }),
  })
}

const about = (order: string, state: string) =>
  receiver.message(
    ({ body, message }) => body.includes(order) && message.data.approval.state === state,
  )

describe('a webhook', () => {
  it('gets what waits, signed, and what becomes of it; a person votes by the way back', async () => {
    const answer = refund('o-way-back')
    const { message, headers } = await about('o-way-back', 'pending')
    expect(webhookPayload.parse(message)).toMatchObject({ type: 'approval.requested' })
    expect(message.data.link).toBe(`${gateway.controlUrl}/#/approvals/${message.data.approval.id}`)
    expect(message.data.approval.action.payload).toMatchObject({
      body: { json: { order: 'o-way-back' } },
    })
    expect(headers['webhook-signature']).toMatch(/^v1,/)

    // Whoever built the receiver votes with the digest and the hash that it got, as the person whose token it has.
    const vote = await gateway.vote('dana', message.data.approval)
    expect(vote.status).toBe(200)
    expect((await answer).status).toBe(201)
    const last = await about('o-way-back', 'succeeded')
    expect(webhookPayload.parse(last.message)).toMatchObject({ type: 'approval.updated' })
    expect(last.message.data.approval.requirements[0]!.votes[0]!.name).toBe('dana')
  })

  it('is no way to vote for a machine: a key that reads approvals cannot decide one', async () => {
    const answer = refund('o-machine')
    const { message } = await about('o-machine', 'pending')
    const { id, view_hash, action } = message.data.approval
    const made = await gateway.person('dana', '/api/keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'erp-bot', kind: 'service' }),
    })
    const { token } = (await made.json()) as { token: string }
    const response = await fetch(`${gateway.controlUrl}/api/approvals/${id}/votes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ decision: 'approve', digest: action.digest, view_hash }),
    })
    expect(response.status).toBe(403)
    expect((await gateway.approval(id)).state).toBe('pending')
    await gateway.vote('dana', message.data.approval, 'deny')
    expect((await answer).status).toBe(403)
  })

  it('that is down is tried again with the same id, and holds up no other', async () => {
    dead.answer(503)
    const tried = dead.received.length
    const answer = refund('o-one-is-dead')
    const { message } = await about('o-one-is-dead', 'pending')
    await gateway.vote('dana', message.data.approval)
    expect((await answer).status).toBe(201)
    await about('o-one-is-dead', 'succeeded')

    const health = async () => {
      const response = await gateway.person('dana', '/api/channels')
      return ((await response.json()) as { channels: Record<string, unknown>[] }).channels
    }
    await expect.poll(health).toMatchObject([
      { name: 'webhook:erp', waiting: 0, last_error: null },
      { name: 'webhook:dead', last_error: 'It answered with status 503' },
    ])
    dead.answer(204)
    const arrived = await dead.message(
      ({ message: said, body }) =>
        body.includes('o-one-is-dead') && said.data.approval.state === 'succeeded',
    )
    expect(dead.received.length).toBeGreaterThan(tried + 1)
    expect(arrived.message.type).toBe('approval.requested')
  })
})

describe('class 22, SSRF: a webhook is not sent', () => {
  it.each([
    'http://169.254.169.254/latest',
    'https://169.254.169.254/latest',
    'http://[fe80::1]/',
    'https://[::ffff:169.254.169.254]/',
    'http://100.100.100.200/',
  ])('to %s', async (url) => {
    const sent = post(new URL(url), {}, '{}', AbortSignal.timeout(30_000))
    await expect(sent).rejects.toThrow('It has an address that nothing is sent to')
  })

  it('to where a redirect leads', async () => {
    const elsewhere = await startWebhookReceiver(secret)
    receiver.answer(307, { location: elsewhere.url })
    const signer = new Webhook(secret)
    const now = new Date()
    const headers = {
      'webhook-id': 'm',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signer.sign('m', now, '{}'),
    }
    const { status } = await post(new URL(receiver.url), headers, '{}', AbortSignal.timeout(30_000))
    expect(status).toBe(307)
    expect(elsewhere.received).toEqual([])
    receiver.answer(204)
    await elsewhere.close()
  })

  it('with an empty secret', () => {
    expect(() => new WebhookChannel('x', { url: receiver.url, secret: 'whsec_' })).toThrow()
  })
})
