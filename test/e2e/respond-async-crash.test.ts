import { describe, expect, it, vi } from 'vitest'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { atEnd, storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog } from './requests.ts'

const soon = { timeout: 60_000, interval: 100 }

async function ask(gateway: GatewayProcess, request: RequestInit): Promise<string> {
  const headers = { ...(request.headers as object), prefer: 'respond-async' }
  const response = await gateway.agent('/crm/v1/refunds', { ...request, headers })
  expect(response.status).toBe(202)
  return ((await response.json()) as { task: { id: string } }).task.id
}

describe.skipIf(!storeKinds.includes('postgres'))(
  'a request that was left to a gateway which is killed with SIGKILL (needs PostgreSQL: there is another one)',
  () => {
    it('is sent by the other one once it is approved; what had been sent is `unknown`, and never sent again', async () => {
      const upstream = await startCountingUpstream()
      const answer = upstream.answer
      atEnd(() => upstream.close())
      const { folder, start } = await configureGateway({
        upstream: upstream.url,
        policies,
        store: 'postgres',
      })
      const requests = { sent: refund(), waiting: refund() }
      const victim = await start()
      const ids = {
        sent: await ask(victim, requests.sent),
        waiting: await ask(victim, requests.waiting),
      }

      // The upstream takes the first one, and has not answered when the end comes.
      upstream.answer = () => undefined
      await victim.vote('dana', await victim.approval(ids.sent))
      await vi.waitFor(() => expect(upstream.arrived).toHaveLength(1), soon)
      victim.signal('SIGKILL')
      await victim.ended
      upstream.answer = answer

      const survivor = await start()
      await survivor.vote('dana', await survivor.approval(ids.waiting))
      const path = `/access/v1/requests/${ids.waiting}/response`
      await expect.poll(async () => (await survivor.agent(path)).status, soon).toBe(201)

      await expect.poll(async () => (await survivor.approval(ids.sent)).state, soon).toBe('unknown')
      const lost = await survivor.agent(`/access/v1/requests/${ids.sent}/response`)
      expect(await problemIn(lost, 'response-gone')).toMatchObject({
        reason: 'not-kept',
        task: { status: 'failed', reason: 'unknown' },
      })
      for (const { body } of Object.values(requests)) {
        expect(upstream.arrived.filter((request) => request.body === body)).toHaveLength(1)
      }
      const log = await verifiedLog(survivor, folder)
      const story = log.filter(({ approval }) => approval === ids.sent).map(({ type }) => type)
      expect(story.filter((type) => type === 'action.dispatched')).toHaveLength(1)
      expect(story.at(-1)).toBe('action.completed')
    })
  },
)
