import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PersonName } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PolicyFile } from './policy-file.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

const soon = { timeout: 60_000, interval: 50 }

const rule = `
  - name: refunds-need-a-lead
    on: crm
    what: { http: { method: POST, path: /v1/orders/*/refunds } }
    then: hold
    approval:
      from: { group: support-leads }
      scope: [once, { minutes: 15, match: [http.path] }]`

const exact = `
  - name: mails-need-a-lead
    on: crm
    what: { http: { method: POST, path: /v1/mails } }
    then: hold
    approval: { from: { group: support-leads }, scope: [once, { minutes: 15 }] }`

const policies = `rules:${rule}${exact}`

let upstream: CountingUpstream
let gateway: TestGateway
let file: PolicyFile
let original: string

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies: { 'crm.yaml': policies },
    config: 'hold: { max_per_subject: 100 }',
  })
  file = new PolicyFile(gateway)
  original = await file.inForce()
})

beforeEach(async () => {
  upstream.arrived.length = 0
  await file.restore(policies, original)
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

let order = 0

/** The refunds of an order that no other test has to do with. */
const ofAnOrder = () => `/crm/v1/orders/o-${++order}/refunds`

/** Asks, and has it approved for a quarter of an hour. */
async function grant(path: string, request: RequestInit, by: PersonName = 'dana'): Promise<string> {
  const { task } = await problemIn(gateway.agent(path, waiting(request, 0)), 'approval-pending')
  const approval = await gateway.approval(task.id)
  const vote = await gateway.vote(by, approval, 'approve', { scope: { minutes: 15 } })
  expect(vote.status).toBe(200)
  return task.id
}

/** Sends something alike: the same path, another amount. */
const alike = (path: string, claims = {}) => gateway.agent(path, waiting(refund(), 0), claims)

describe('approved for some minutes', () => {
  it('the next action that the rule calls alike runs without asking, and each is on record', async () => {
    const path = ofAnOrder()
    const request = refund()
    const id = await grant(path, request)
    const answers = [
      await gateway.agent(path, waiting(request, 0)),
      await alike(path),
      await alike(path),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(upstream.arrived).toHaveLength(3)

    const actions = answers.map(({ headers }) => headers.get('sallyport-action'))
    const told = async () =>
      (await verifiedLog(gateway, gateway.folder))
        .filter((event) => event.approval === id && actions.includes(event.action?.id ?? null))
        .map(({ type }) => type)
    await expect
      .poll(async () => (await told()).filter((type) => type === 'action.completed'), soon)
      .toHaveLength(3)
    expect((await told()).filter((type) => type === 'action.dispatched')).toHaveLength(3)
  })

  it('asks for another path, another person behind it, or another agent', async () => {
    const path = ofAnOrder()
    await grant(path, refund())
    for (const answer of [
      alike(ofAnOrder()),
      alike(path, { sub: 'other-agent' }),
      alike(path, { agent_owner: 'omar' }),
      alike(path, { sub: 'omar', act: { sub: 'support-agent' } }),
    ]) {
      await problemIn(answer, 'approval-pending')
    }
    expect(upstream.arrived).toEqual([])
  })

  it('asks for anything but the very same where the rule names nothing that is alike', async () => {
    const request = refund()
    await grant('/crm/v1/mails', request)
    for (let times = 0; times < 3; times++) {
      expect((await gateway.agent('/crm/v1/mails', waiting(request, 0))).status).toBe(201)
    }
    await problemIn(alike('/crm/v1/mails'), 'approval-pending')
    expect(upstream.arrived).toHaveLength(3)
  })

  it('cannot be for longer than the rule offers', async () => {
    const path = ofAnOrder()
    const { task } = await problemIn(alike(path), 'approval-pending')
    const approval = await gateway.approval(task.id)
    const vote = gateway.vote('dana', approval, 'approve', { scope: { minutes: 16 } })
    await problemIn(vote, 'bad-request')
    expect(await gateway.approval(task.id)).toMatchObject({ state: 'pending' })
  })

  it('survives a restart', async () => {
    const path = ofAnOrder()
    await grant(path, refund())
    await gateway.restart()
    expect((await alike(path)).status).toBe(201)
  })
})

describe('what was approved for some minutes asks again (class 16)', () => {
  it.each([
    ['offers it no more', rule.replace(/scope: .*/, 'scope: [once]')],
    ['wants more to be the same', rule.replace('[http.path]', '[http.path, http.json]')],
    ['asks for two people', rule.replace('support-leads }', 'support-leads }\n      quorum: 2')],
    ['asks somebody else', rule.replace('support-leads', 'data-owners')],
  ])('once the rule %s', async (_what, changed) => {
    const path = ofAnOrder()
    await grant(path, refund())
    await file.change(`rules:${changed}${exact}`)
    await problemIn(alike(path), 'approval-pending')
    expect(upstream.arrived).toEqual([])
  })

  it('once another rule holds it too', async () => {
    const path = ofAnOrder()
    await grant(path, refund())
    await file.change(`${policies}${rule.replace('refunds-need-a-lead', 'refunds-are-watched')}`)
    await problemIn(alike(path), 'approval-pending')
    expect(upstream.arrived).toEqual([])
  })

  it('once a rule denies it', async () => {
    const path = ofAnOrder()
    await grant(path, refund())
    await file.change(`${policies}
  - name: books-are-closed
    on: crm
    then: deny`)
    await problemIn(alike(path), 'denied')
    expect(upstream.arrived).toEqual([])
  })

  it('once its agent has taken the approval back', async () => {
    const path = ofAnOrder()
    const id = await grant(path, refund())
    const cancelled = await gateway.agent(`/access/v1/requests/${id}/cancel`, { method: 'POST' })
    expect(cancelled.status).toBe(200)
    await problemIn(alike(path), 'approval-pending')
    expect(upstream.arrived).toEqual([])
  })

  it('once whoever approved it has left the group', async () => {
    const path = ofAnOrder()
    await grant(path, refund(), 'noor')
    expect((await alike(path)).status).toBe(201)
    const authorization = `Bearer ${await gateway.personToken('noor', { groups: ['sales'] })}`
    await fetch(`${gateway.controlUrl}/api/me`, { headers: { authorization } })
    await problemIn(alike(path), 'approval-pending')
    expect(upstream.arrived).toHaveLength(1)
  })
})
