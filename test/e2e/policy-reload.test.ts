import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PendingApproval } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PolicyFile } from './policy-file.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

const soon = { timeout: 60_000, interval: 50 }

const reads = `
  - name: agents-read
    on: crm
    what: { http: { method: GET, path: /v1/** } }
    then: allow`

const refunds = `
  - name: refunds-need-a-lead
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }`

const exports = `
  - name: exports-need-an-owner
    on: crm
    what: { http: { method: POST, path: /v1/exports } }
    then: hold
    approval: { from: { group: data-owners } }`

const noRefunds = `
  - name: no-refunds-in-december
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: deny
    reason: BOOKS_CLOSED`

const before = `rules:${reads}${refunds}${exports}`

let upstream: CountingUpstream
let gateway: TestGateway
let file: PolicyFile
let original: string

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies: { 'crm.yaml': before } })
  file = new PolicyFile(gateway)
  original = await file.inForce()
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

beforeEach(async () => {
  upstream.arrived.length = 0
  await file.restore(before, original)
})

async function ask(path: string, request: RequestInit): Promise<PendingApproval> {
  const { task } = await problemIn(gateway.agent(path, waiting(request, 0)), 'approval-pending')
  return gateway.approval(task.id)
}

async function approved(path: string, request: RequestInit): Promise<PendingApproval> {
  const approval = await ask(path, request)
  expect((await gateway.vote(path.includes('exports') ? 'omar' : 'dana', approval)).status).toBe(
    200,
  )
  return approval
}

describe('a policy file that is edited', () => {
  it('decides without a restart', async () => {
    expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)
    await file.change(`rules:${refunds}${exports}`)
    await problemIn(gateway.agent('/crm/v1/customers'), 'denied')
    await file.change(before)
    expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)
  })

  it('changes nothing while there is a mistake in it, and that is logged and on record', async () => {
    const hash = await file.inForce()
    file.write(before.replace('on: crm', 'on: crn'))
    await expect.poll(() => gateway.logged(), soon).toContain('policies have mistakes')
    const line = gateway
      .logged()
      .split('\n')
      .find((one) => one.includes('policies have mistakes'))!
    const { mistakes } = JSON.parse(line) as { mistakes: { file: string; line: number }[] }
    expect(mistakes[0]).toMatchObject({ file: expect.stringMatching(/crm\.yaml$/), line: 3 })
    expect(await file.inForce()).toBe(hash)
    expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)
    await expect
      .poll(async () => (await verifiedLog(gateway, gateway.folder)).map(({ type }) => type), soon)
      .toContain('policy.rejected')
  })
})

describe('what waits for approval while the policies change', () => {
  it('ends where the new ones deny it, and stays where they do not (class 25)', async () => {
    const refused = await ask('/crm/v1/refunds', refund())
    const unaffected = await ask('/crm/v1/exports', refund())
    await file.change(`rules:${reads}${refunds}${exports}${noRefunds}`)
    await expect
      .poll(() => gateway.approval(refused.id), soon)
      .toMatchObject({ state: 'invalidated', resolution: { by: null } })
    expect(await gateway.approval(unaffected.id)).toMatchObject({ state: 'pending' })
  })

  it('tells the agent that waits', async () => {
    const asked = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
    await gateway.pending()
    await file.change(`rules:${reads}${refunds}${exports}${noRefunds}`)
    const { detail } = await problemIn(asked, 'approval-invalidated')
    expect(detail).toContain('deny this action')
    expect(upstream.arrived).toEqual([])
  })

  it('ends where they ask for more', async () => {
    const approval = await approved('/crm/v1/refunds', refund())
    const two = refunds.replace('group: support-leads }', 'group: support-leads }, quorum: 2')
    await file.change(`rules:${reads}${exports}${two}`)
    await expect
      .poll(() => gateway.approval(approval.id), soon)
      .toMatchObject({ state: 'invalidated' })
  })

  it('stays where they ask for less', async () => {
    const two = refunds.replace('group: support-leads }', 'group: support-leads }, quorum: 2')
    await file.change(`rules:${reads}${exports}${two}`)
    const request = refund()
    const approval = await ask('/crm/v1/refunds', request)
    await file.change(before)
    expect(await gateway.approval(approval.id)).toMatchObject({ state: 'pending' })
    await gateway.vote('dana', approval)
    await gateway.vote('noor', approval)
    expect((await gateway.agent('/crm/v1/refunds', waiting(request, 0))).status).toBe(201)
  })

  it('cannot be used once they deny, however fast the agent is (invariant 6)', async () => {
    const request = refund()
    const approval = await approved('/crm/v1/refunds', request)
    const hash = await file.inForce()
    file.write(`rules:${reads}${refunds}${exports}${noRefunds}`)
    // The first request after the change, before anybody has looked at what waits.
    while ((await file.inForce()) === hash) await new Promise((resolve) => setTimeout(resolve, 5))
    const { reason } = await problemIn(
      gateway.agent('/crm/v1/refunds', waiting(request, 0)),
      'denied',
    )
    expect(reason).toBe('BOOKS_CLOSED')
    expect(upstream.arrived).toEqual([])
    await expect
      .poll(() => gateway.approval(approval.id), soon)
      .toMatchObject({ state: 'invalidated' })
  })

  it('is looked at when the gateway starts again, too', async () => {
    const approval = await ask('/crm/v1/refunds', refund())
    await gateway.restart(() => file.write(`rules:${reads}${refunds}${exports}${noRefunds}`))
    expect(await gateway.approval(approval.id)).toMatchObject({ state: 'invalidated' })
  })
})

describe('a version of many rules', () => {
  it('comes into force like any other, and requests are answered by the one before meanwhile', async () => {
    const many = Array.from(
      { length: 800 },
      (_, n) => `
  - { name: team-${n}, on: crm, what: { http: { method: POST, path: /v1/team-${n}/** } }, then: allow }`,
    )
    file.write(`${before}${many.join('')}`)
    let answered = 0
    const inForce = async () => {
      expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)
      answered++
      return file.inForce()
    }
    // A thread begins for it, which takes its time on a busy machine.
    await expect.poll(inForce, { timeout: 60_000, interval: 50 }).not.toBe(original)
    expect(answered).toBeGreaterThan(1)
    expect((await gateway.agent('/crm/v1/team-799/notes', { method: 'POST' })).status).toBe(201)
  })
})
