import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog, type AuditEvent } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies, resource: 'mode: observe' })
})

beforeEach(() => {
  upstream.arrived.length = 0
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

/** What is on record of the action that this answer names, once its outcome is. */
async function storyOf(answer: Response): Promise<AuditEvent[]> {
  const id = answer.headers.get('sallyport-action')
  for (;;) {
    const log = await verifiedLog(gateway, gateway.folder)
    const story = log.filter(({ action }) => action?.id === id)
    if (story.some(({ type }) => type === 'action.completed')) return story
  }
}

const report = async (...options: string[]) =>
  sallyport(['policy', 'report', ...options], {
    environment: {
      SALLYPORT_URL: gateway.controlUrl,
      SALLYPORT_TOKEN: await gateway.personToken('dana'),
    },
  })

describe('a resource that is only observed', () => {
  it('runs what would be denied, and the record says that it would be, and was not', async () => {
    const answer = await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })
    expect(answer.status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)
    expect(await storyOf(answer)).toMatchObject([
      {
        type: 'action.decided',
        decision: 'deny',
        enforced: false,
        rules: ['nobody-deletes'],
        reason: 'DESTRUCTIVE',
      },
      { type: 'action.completed', outcome: { result: 'succeeded', status: 201 } },
    ])
  })

  it('runs what would be held at once, and no approver hears of it', async () => {
    const answer = await gateway.agent('/crm/v1/refunds', refund())
    expect(answer.status).toBe(201)
    expect(await storyOf(answer)).toMatchObject([
      { decision: 'hold', enforced: false, rules: ['refunds-need-a-support-lead'] },
      { type: 'action.completed' },
    ])
    const inbox = await (await gateway.person('dana', '/api/approvals')).json()
    expect(inbox).toMatchObject({ approvals: [] })
  })

  it('runs what would be held, and has a body that is too large to be held', async () => {
    const body = 'x'.repeat(2 * 1024 * 1024)
    const headers = { 'content-type': 'text/plain' }
    const answer = await gateway.agent('/crm/v1/refunds', { method: 'POST', headers, body })
    expect(answer.status).toBe(201)
  })

  it('does not mark what is allowed: that would be no different', async () => {
    const [decided] = await storyOf(await gateway.agent('/crm/v1/customers'))
    expect(decided).toMatchObject({ decision: 'allow' })
    expect(decided).not.toHaveProperty('enforced')
  })

  it('still refuses whoever does not show who they are, and what can be read in two ways', async () => {
    await problemIn(fetch(`${gateway.agentsUrl}/crm/v1/customers`), 'unauthenticated')
    await problemIn(gateway.agent('/crm/v1%2fcustomers'), 'ambiguous-request')
    expect(upstream.arrived).toEqual([])
  })

  it('says so: at the start, on record, and to whoever asks for the policies', async () => {
    expect(gateway.logged()).toMatch(/"level":"warn".*"resources":\["crm"\].*mode: observe/)
    const [started] = (await gateway.auditLog())
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ type }) => type === 'gateway.started')
    expect(started).toMatchObject({ details: { observed: ['crm'] } })
    const inForce = await (await gateway.person('dana', '/api/policies')).json()
    expect(inForce).toMatchObject({ observed: ['crm'] })
  })
})

describe('policy report', () => {
  it('counts what enforcing would have stopped, by rule, with examples', async () => {
    await gateway.agent('/crm/v1/secrets', { method: 'PUT', body: 'x' })
    await gateway.agent('/crm/v1/secrets', { method: 'PUT', body: 'y' }, { sub: 'other-agent' })
    await gateway.agent('/crm/v1/tokens', { method: 'PUT', body: 'x' })

    const { code, out } = await report('--since', '1h', '--json')
    expect(code).toBe(0)
    const read = JSON.parse(out)
    expect(read).toMatchObject({ denied: 4, held: 2 })
    expect(read.stopped[0]).toMatchObject({
      resource: 'crm',
      verdict: 'deny',
      rule: null,
      reason: 'no-rule-matched',
      actions: 3,
      subjects: 2,
      examples: [
        { summary: 'PUT /v1/secrets', actions: 2, subject: 'other-agent' },
        { summary: 'PUT /v1/tokens', actions: 1, subject: 'support-agent' },
      ],
    })
    const rules = read.stopped.map(({ rule }: { rule: string | null }) => rule)
    expect(new Set(rules)).toEqual(new Set([null, 'nobody-deletes', 'refunds-need-a-support-lead']))
  })

  it('reads well', async () => {
    const { out } = await report('--since', '1h')
    expect(out).toContain(
      'enforcing would have denied 4 and held 2 of the actions that ran.\n\n3 denied on crm: no rule covers it (no-rule-matched)\n    by 2 subjects, ',
    )
    expect(out).toMatch(/\n {4}2 × PUT \/v1\/secrets {2}\(other-agent, action [0-9a-f-]{36}\)\n/)
  })

  it('is about nothing where nothing ran that would have been stopped', async () => {
    const { code, out } = await report('--since', '1h', '--resource', 'orders-db')
    expect(code).toBe(0)
    expect(out).toMatch(/nothing ran that enforcing would have denied or held\.\n$/)
  })

  it('wants a time that it understands', async () => {
    expect(await report('--since', 'yesterday')).toMatchObject({ code: 2 })
    expect(await report()).toMatchObject({ code: 2 })
  })
})

it('denies and holds again as soon as it is started with mode: enforce', async () => {
  const file = join(gateway.folder, 'sallyport.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('mode: observe', 'mode: enforce'))
  await gateway.restart()
  await problemIn(gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' }), 'denied')
  expect(upstream.arrived).toEqual([])
  const { out } = await report('--since', '1h', '--json')
  expect(JSON.parse(out)).toMatchObject({ denied: 4, held: 2 })
})
