import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

// A database is stopped and started here, and a lease runs out: that takes its time on a busy machine.
const patience = 60_000
const soon = { timeout: 30_000, interval: 100 }

describe.skipIf(!storeKinds.includes('postgres'))(
  'while PostgreSQL is away (class 25; needs PostgreSQL: the embedded store goes with its process)',
  { timeout: patience },
  () => {
    let database: PostgresServer
    let upstream: CountingUpstream
    let gateway: TestGateway

    beforeAll(async () => {
      database = await PostgresServer.start()
      upstream = await startCountingUpstream()
      gateway = await startTestGateway({
        upstream: upstream.url,
        policies,
        databaseUrl: await database.createDatabase('gateway'),
        // Its lease runs out while the database is away.
        times: { leaseMs: 3_000, marginMs: 500 },
      })
    }, patience)

    afterAll(async () => {
      await gateway.close()
      await upstream.close()
      await database.remove()
    })

    const note = { method: 'POST', body: 'called back' }

    it('nothing runs that was not on record before, and everything recovers by itself', async () => {
      const request = refund()
      const held = gateway.agent('/crm/v1/refunds', waiting(request, 60))
      const approval = await gateway.pending()
      const answer = upstream.answer
      const underWay = Promise.withResolvers<() => void>()
      upstream.answer = (_request, response) =>
        underWay.resolve(() => void response.writeHead(201).end('{}'))
      const sent = gateway.agent('/crm/v1/notes', note)
      const finish = await underWay.promise
      upstream.answer = answer
      upstream.arrived.length = 0

      await database.stop()

      // A read may have been sent, and its answer is thrown away then. Nothing else is sent, held, denied or looked up.
      await Promise.all(
        [
          gateway.agent('/crm/v1/notes', note),
          gateway.agent('/crm/v1/customers'),
          gateway.agent('/crm/v1/refunds', refund()),
          gateway.agent('/crm/v1/x', { method: 'DELETE' }),
          gateway.agent(`/access/v1/requests/${approval.id}`),
        ].map((answer) => problemIn(answer, 'store-unavailable')),
      )
      expect(upstream.arrived.filter(({ method }) => method !== 'GET')).toEqual([])
      // What had been sent before is answered; its outcome waits for the database.
      finish()
      expect((await sent).status).toBe(201)

      // The lease has run out meanwhile. A read is not even sent then.
      await expect
        .poll(async () => {
          upstream.arrived.length = 0
          await problemIn(gateway.agent('/crm/v1/customers'), 'store-unavailable')
          return upstream.arrived
        }, soon)
        .toEqual([])

      await database.start()

      await expect
        .poll(async () => (await gateway.agent('/crm/v1/customers')).status, soon)
        .toBe(200)
      expect((await gateway.agent('/crm/v1/notes', note)).status).toBe(201)
      // The agent still waits, and has still not been answered for.
      expect(upstream.arrived.filter(({ body }) => body === request.body)).toEqual([])
      expect((await gateway.vote('dana', await gateway.approval(approval.id))).status).toBe(200)
      expect((await held).status).toBe(201)
      expect(upstream.arrived.filter(({ body }) => body === request.body)).toHaveLength(1)

      // The write from before has its outcome, and the log verifies.
      await expect
        .poll(async () => {
          const log = await verifiedLog(gateway, gateway.folder)
          const first = log.find(({ rules }) => rules?.includes('agents-note'))!.action!.id
          // `unknown` may be among them: what the gateway knew came in as late evidence then.
          return log
            .filter(({ type, action }) => type === 'action.completed' && action?.id === first)
            .map(({ outcome }) => outcome?.result)
        }, soon)
        .toContain('succeeded')
    })
  },
)
