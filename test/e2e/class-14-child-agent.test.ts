import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'
import { problemIn, refund, waiting } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
})

beforeEach(() => {
  upstream.arrived.length = 0
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

// The ways in which an agent can hand its work to another one: under a name of its own, in a chain (RFC 8693), or a chain of two.
describe.each([
  ['with a credential of its own', { sub: 'child-agent', azp: 'support-agent' }],
  ['that acts for its parent', { sub: 'support-agent', act: { sub: 'child-agent' } }],
  [
    'that acts for another child',
    { sub: 'support-agent', act: { sub: 'grandchild', act: { sub: 'child-agent' } } },
  ],
])('a child agent %s', (_how, child) => {
  it('meets the same rules', async () => {
    expect((await gateway.agent('/crm/v1/customers', {}, child)).status).toBe(200)
    await problemIn(gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' }, child), 'denied')
    await problemIn(gateway.agent('/crm/v1/x', { method: 'PUT', body: 'x' }, child), 'denied')
    const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 0), child)
    await problemIn(held, 'approval-pending')
    expect(upstream.arrived.map(({ method }) => method)).toEqual(['GET'])
  })

  it('cannot use what was approved for its parent, nor its parent what was approved for it', async () => {
    for (const [asks, uses] of [
      [{}, child],
      [child, {}],
    ]) {
      const request = refund()
      const held = gateway.agent('/crm/v1/refunds', waiting(request, 0), asks)
      const { task } = await problemIn(held, 'approval-pending')
      await gateway.vote('dana', await gateway.approval(task.id))
      const other = gateway.agent('/crm/v1/refunds', waiting(request, 0), uses)
      expect((await problemIn(other, 'approval-pending')).task.id).not.toBe(task.id)
      const named = waiting(request, 0)
      named.headers = { ...(named.headers as object), 'sallyport-approval': task.id }
      await problemIn(gateway.agent('/crm/v1/refunds', named, uses), 'approval-mismatch')
      await problemIn(gateway.agent(task.status_endpoint, {}, uses), 'not-found')
    }
    expect(upstream.arrived).toEqual([])
  })

  it('is approved by nobody who stands behind its parent (class 13)', async () => {
    const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 0), child)
    const { task } = await problemIn(held, 'approval-pending')
    const approval = await gateway.approval(task.id)
    await problemIn(gateway.vote('priya', approval), 'self-approval')
  })
})

it('a child agent that nobody answers for is never approved', async () => {
  const orphan = { sub: 'child-agent', agent_owner: undefined }
  const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 0), orphan)
  expect(await problemIn(held, 'denied')).toMatchObject({ reason: 'owner-unknown' })
})
