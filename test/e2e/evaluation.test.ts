import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { policies } from './policies.ts'
import { problemIn } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

interface Answer {
  decision: boolean
  context: Record<string, unknown>
}

function send(body: unknown, headers: Record<string, string>): Promise<Response> {
  return fetch(`${gateway.controlUrl}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function asDana(): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await gateway.personToken('dana')}` }
}

async function ask(body: unknown): Promise<Answer> {
  const response = await send(body, await asDana())
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  return (await response.json()) as Answer
}

const agent = {
  type: 'agent',
  id: 'support-agent',
  properties: { groups: ['agents'], owner: { issuer: 'https://idp', subject: 'priya' } },
}
const crm = { type: 'api', id: 'crm' }
const http = (method: string, path: string) => ({
  name: 'http.request',
  properties: { http: { method, path, query: {} } },
})

describe('the decision point (AuthZEN Authorization API 1.0, §6)', () => {
  it.each([
    ['allow', true, 'GET', '/v1/customers', 'rule-allowed', ['agents-read']],
    ['deny', false, 'DELETE', '/v1/customers/1', 'DESTRUCTIVE', ['nobody-deletes']],
    ['hold', false, 'POST', '/v1/refunds', 'LARGE_REFUND', ['refunds-need-a-support-lead']],
  ])('says %s, and why', async (verdict, decision, method, path, reason, rules) => {
    const answer = await ask({ subject: agent, resource: crm, action: http(method, path) })
    expect(answer).toMatchObject({ decision, context: { verdict, reason, rules } })
  })

  it('answers the question of the specification’s first example, which it knows nothing about: no', async () => {
    const answer = await ask({
      subject: { type: 'user', id: 'alice@acmecorp.com' },
      resource: { type: 'account', id: '123' },
      action: { name: 'can_read', properties: { method: 'GET' } },
      context: { time: '1985-10-26T01:22-07:00' },
    })
    expect(answer).toMatchObject({ decision: false, context: { reason: 'no-rule-matched' } })
  })

  it('takes properties that it does not know (§5)', async () => {
    const answer = await ask({
      subject: { ...agent, properties: { ...agent.properties, department: 'Sales' } },
      resource: { ...crm, properties: { library_record: { title: 'AuthZEN in Action' } } },
      action: http('GET', '/v1/customers'),
      context: { schema: 'https://schema.example.com/access-request.schema.json' },
    })
    expect(answer.decision).toBe(true)
  })

  it('allows nothing that is not described', async () => {
    const answer = await ask({ subject: agent, resource: crm, action: { name: 'http.request' } })
    expect(answer.decision).toBe(false)
  })

  it('gives the request’s id back (§10.1.4)', async () => {
    const body = { subject: agent, resource: crm, action: http('GET', '/v1/customers') }
    const response = await send(body, { ...(await asDana()), 'x-request-id': 'bfe9eb29-ab87' })
    expect(response.headers.get('x-request-id')).toBe('bfe9eb29-ab87')
  })

  it.each([
    ['without a subject', { resource: crm, action: http('GET', '/') }],
    ['without a type', { subject: { id: 'a' }, resource: crm, action: http('GET', '/') }],
    ['without an action', { subject: agent, resource: crm }],
    ['that is not JSON', '{'],
    [
      'about the gateway itself',
      {
        subject: agent,
        resource: { type: 'gateway', id: 'sallyport' },
        action: { name: 'key.create' },
      },
    ],
  ])('calls a question %s a bad one (§10.1.2)', async (_, body) => {
    expect((await send(body, await asDana())).status).toBe(400)
  })

  it('is for people in roles, and for keys with the scope', async () => {
    const body = { subject: agent, resource: crm, action: http('GET', '/v1/customers') }
    expect((await send(body, {})).status).toBe(401)
    await problemIn(
      send(body, { authorization: `Bearer ${await gateway.agentToken()}` }),
      'forbidden',
    )
    const statuses = await Promise.all(
      [['policies:evaluate'], ['audit:read']].map(async (scopes, index) => {
        const made = await gateway.person('dana', '/api/keys', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name: `decider-${index}`, kind: 'service', scopes }),
        })
        const { token } = (await made.json()) as { token: string }
        return (await send(body, { authorization: `Bearer ${token}` })).status
      }),
    )
    expect(statuses).toEqual([200, 403])
  })
})
