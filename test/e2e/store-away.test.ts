import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { storeKinds } from '../support/store.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

const soon = { timeout: 60_000, interval: 100 }
/** Longer than a lease, and than anything waits for the store. */
const standsStillMs = 12_000

describe.skipIf(!storeKinds.includes('postgres'))(
  'while PostgreSQL is away (class 25; needs PostgreSQL: the embedded store goes with its process)',
  () => {
    let database: PostgresServer
    let upstream: CountingUpstream
    let gateway: TestGateway
    const delivered = mkdtempSync(join(tmpdir(), 'sallyport-delivered-'))

    beforeAll(async () => {
      database = await PostgresServer.start()
      upstream = await startCountingUpstream()
      gateway = await startTestGateway({
        upstream: upstream.url,
        policies,
        databaseUrl: await database.createDatabase('gateway'),
        config: `audit: { deliveries: { archive: { folder: ${delivered}, every: 1s } } }`,
        // Its lease runs out while the database is away.
        times: { leaseMs: 3_000, marginMs: 500 },
      })
    })

    afterAll(async () => {
      await gateway.close()
      await upstream.close()
      await database.remove()
      rmSync(delivered, { recursive: true })
    })

    const note = { method: 'POST', body: 'called back' }

    it('nothing runs that was not on record before, and everything recovers by itself', async () => {
      const request = refund()
      const held = gateway.agent('/crm/v1/refunds', waiting(request, 300))
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

    it('and while it hangs under load: nothing is answered that is not on record, and deliveries go on where they were', async () => {
      const sent: { body: string; status: number }[] = []
      const reads: number[] = []
      const until = new AbortController()
      const load = Array.from({ length: 6 }, async (_, client) => {
        for (let i = 0; !until.signal.aborted; i++) {
          const body = `note ${client}-${i}`
          sent.push({
            body,
            status: (await gateway.agent('/crm/v1/notes', { ...note, body })).status,
          })
          reads.push((await gateway.agent('/crm/v1/customers')).status)
        }
      })
      upstream.arrived.length = 0
      await sleep(1_000)
      database.freeze()
      try {
        await sleep(standsStillMs)
      } finally {
        database.goOn()
      }
      const hung = sent.length
      await expect
        .poll(() => sent.slice(hung).some(({ status }) => status === 201), soon)
        .toBe(true)
      until.abort()
      await Promise.all(load)

      expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([201, 503]))
      expect(new Set(reads)).toEqual(new Set([200, 503]))
      const bodies = upstream.arrived
        .filter(({ method }) => method === 'POST')
        .map(({ body }) => body)
      const answered = sent.filter(({ status }) => status === 201).map(({ body }) => body)
      expect(bodies.toSorted()).toEqual(answered.toSorted())
      await expect
        .poll(async () => {
          const log = await verifiedLog(gateway, gateway.folder)
          const open = new Set<string>()
          for (const { type, action } of log) {
            if (type === 'action.dispatched') open.add(action!.id)
            if (type === 'action.completed') open.delete(action!.id)
          }
          return open.size
        }, soon)
        .toBe(0)
      await expect
        .poll(async () => {
          const { notes } = await sallyport(['audit', 'verify', delivered], {
            folder: gateway.folder,
          })
          return notes
        }, soon)
        .toContain('These are the events of the log')
    })

    it('whoever reads the log hears of both in a few lines, however many failed for it', async () => {
      const lines = () => gateway.logged().split('\n')
      const [fails, works] = ['the store fails', 'the store works again']
      const count = (what: string) => lines().filter((line) => line.includes(what)).length
      await expect.poll(() => count(works) === count(fails), soon).toBe(true)
      expect(count(fails)).toBeGreaterThan(1)
      const others = ['housekeeping is late', 'does not take events', 'is late; trying again']
      expect(others.filter((what) => count(what) > 0)).toEqual([])
      expect(count('store-unavailable')).toBeLessThan(10)
    })
  },
)
