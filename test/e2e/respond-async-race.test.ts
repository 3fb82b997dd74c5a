import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type RunningGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { gatewayClient, type GatewayClient } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { quiet } from '../support/audit.ts'
import { storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { refund, waiting } from './requests.ts'

const rounds = 100

describe.skipIf(!storeKinds.includes('postgres'))(
  'two gateways that both have a request to send, with attempts that wait for it too (needs PostgreSQL)',
  () => {
    let upstream: CountingUpstream
    let first: TestGateway
    let second: RunningGateway
    let replicas: readonly [GatewayClient, GatewayClient]

    beforeAll(async () => {
      upstream = await startCountingUpstream()
      first = await startTestGateway({ upstream: upstream.url, policies, store: 'postgres' })
      const config = loadConfig(join(first.folder, 'sallyport.yaml'), {})
      second = await startGateway(config, { log: quiet })
      replicas = [first, gatewayClient(first.issuer, () => second)]
    })

    afterAll(async () => {
      await second.close()
      await first.close()
      await upstream.close()
    })

    it(`send it once (class 12, ${rounds} rounds)`, async () => {
      const winners = { gateway: 0, attempt: 0 }
      const at = fc.constantFrom(0, 1)
      await fc.assert(
        fc.asyncProperty(
          fc.record({ asked: at, voted: at, fetched: at, live: fc.array(at, { maxLength: 2 }) }),
          async ({ asked, voted, fetched, live }) => {
            const request = refund()
            const prefer = { ...(request.headers as object), prefer: 'respond-async' }
            const response = await replicas[asked].agent('/crm/v1/refunds', {
              ...request,
              headers: prefer,
            })
            expect(response.status).toBe(202)
            const { task } = (await response.json()) as { task: { id: string } }
            // By its name: one that comes too late is told so, and does not ask anew.
            const named = waiting(request, 300)
            named.headers = { ...named.headers, 'sallyport-approval': task.id }
            const attempts = live.map((replica) =>
              replicas[replica].agent('/crm/v1/refunds', named),
            )
            const approval = await replicas[voted].approval(task.id)
            expect((await replicas[voted].vote('dana', approval)).status).toBe(200)

            const statuses = (await Promise.all(attempts)).map(({ status }) => status)
            const path = `/access/v1/requests/${task.id}/response`
            let kept: Response
            do {
              kept = await replicas[fetched].agent(path)
            } while (kept.status === 404)
            await kept.text()
            // Exactly one of all of them has the answer of the one run.
            expect(upstream.arrived.filter(({ body }) => body === request.body)).toHaveLength(1)
            expect([...statuses, kept.status].filter((status) => status === 201)).toHaveLength(1)
            winners[kept.status === 201 ? 'gateway' : 'attempt']++
          },
        ),
        { numRuns: rounds, endOnFailure: true },
      )
      // A race that always ends the same way has tested half of it.
      expect(Math.min(winners.gateway, winners.attempt)).toBeGreaterThan(0)
    })
  },
)
