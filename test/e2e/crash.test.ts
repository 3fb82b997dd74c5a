import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import type { PendingApproval } from '../support/gateway-client.ts'
import { atEnd, storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { problemIn, refund, statusesOf, verifiedLog, waiting, type AuditEvent } from './requests.ts'

const soon = { timeout: 60_000, interval: 100 }

describe.each(storeKinds)(
  'a gateway that is killed with SIGKILL in the middle of everything, on the %s store',
  (store) => {
    const requests = { sent: refund(), approved: refund(), asked: refund() }
    let upstream: CountingUpstream
    let folder: string
    let gateway: GatewayProcess
    let approvals: Record<keyof typeof requests, PendingApproval>

    const arrivals = ({ body }: RequestInit) =>
      upstream.arrived.filter((request) => request.body === body).length

    beforeAll(async () => {
      upstream = await startCountingUpstream()
      const answer = upstream.answer
      atEnd(() => upstream.close())
      const configured = await configureGateway({ upstream: upstream.url, policies, store })
      folder = configured.folder
      gateway = await configured.start()

      const ask = async (request: RequestInit) => {
        const held = gateway.agent('/crm/v1/refunds', waiting(request, 0))
        const { task } = await problemIn(held, 'approval-pending')
        return gateway.approval(task.id)
      }
      approvals = {
        sent: await ask(requests.sent),
        approved: await ask(requests.approved),
        asked: await ask(requests.asked),
      }
      await gateway.vote('dana', approvals.approved)

      // The upstream takes these two, and has not answered them when the end comes.
      upstream.answer = () => undefined
      const lost = [
        gateway.agent('/crm/v1/refunds', waiting(requests.sent, 300)),
        gateway.agent('/crm/v1/notes', { method: 'POST', body: 'called back' }),
        gateway.agent('/crm/v1/refunds', waiting(requests.asked, 300)),
      ].map((request) => expect(request).rejects.toThrow())
      await gateway.vote('dana', approvals.sent)
      await vi.waitFor(() => expect(upstream.arrived).toHaveLength(2), soon)
      gateway.signal('SIGKILL')
      await gateway.ended
      await Promise.all(lost)

      upstream.answer = answer
      gateway = await configured.start()
    })

    it('goes on asking people what they were being asked', async () => {
      const { id, view_hash } = approvals.asked
      expect(await gateway.approval(id)).toMatchObject({ state: 'pending', view_hash })
      const asked = gateway.agent('/crm/v1/refunds', waiting(requests.asked, 300))
      expect((await gateway.vote('dana', approvals.asked)).status).toBe(200)
      expect((await asked).status).toBe(201)
      expect(arrivals(requests.asked)).toBe(1)
    })

    it('keeps an approval that had been given and not been used, for one run', async () => {
      expect(await gateway.approval(approvals.approved.id)).toMatchObject({ state: 'approved' })
      expect(arrivals(requests.approved)).toBe(0)
      const named = waiting(requests.approved, 0)
      named.headers = { ...(named.headers as object), 'sallyport-approval': approvals.approved.id }
      const answers = await Promise.all(
        [1, 2, 3].map(() => gateway.agent('/crm/v1/refunds', named)),
      )
      expect(statusesOf(answers)).toEqual([201, 403, 403])
      expect(arrivals(requests.approved)).toBe(1)
    })

    it('leaves `unknown` of what had been sent, never sends it again, and says so to whoever is asked anew', async () => {
      const { id } = approvals.sent
      await expect
        .poll(() => gateway.approval(id), soon)
        .toMatchObject({ state: 'unknown', outcome: { result: 'unknown' } })
      const again = gateway.agent('/crm/v1/refunds', waiting(requests.sent, 0))
      const { task } = await problemIn(again, 'approval-pending')
      expect(await gateway.approval(task.id)).toMatchObject({
        state: 'pending',
        ran_before: { id, state: 'unknown' },
      })
      expect(arrivals(requests.sent)).toBe(1)
    })

    it('has all of it in a log that verifies, the allowed write included', async () => {
      const log = await verifiedLog(gateway, folder)
      const story = (wanted: (event: AuditEvent) => boolean) =>
        log.filter(wanted).map(({ type, outcome }) => [type, outcome?.result ?? null])

      // Decided each time that it was sent, of which the second came at about the time of the vote.
      const ofSent = ({ approval, type }: AuditEvent) =>
        approval === approvals.sent.id && type !== 'action.decided'
      expect(story(ofSent)).toEqual([
        ['approval.requested', null],
        ['approval.voted', null],
        ['approval.resolved', null],
        ['action.dispatched', null],
        ['action.completed', 'unknown'],
      ])
      const note = log.find(({ rules }) => rules?.includes('agents-note'))!.action!.id
      expect(story(({ action }) => action?.id === note)).toEqual([
        ['action.decided', null],
        ['action.completed', 'unknown'],
      ])
    })
  },
)

describe.skipIf(!storeKinds.includes('postgres'))(
  'a gateway that is stopped for longer than its lease (needs PostgreSQL: there is another one)',
  () => {
    it('sends nothing when it goes on, although it had claimed the approval', async () => {
      const fixture = (name: string) =>
        fileURLToPath(new URL(`../protocols/http/fixtures/${name}`, import.meta.url))
      const upstream = await startCountingUpstream({
        key: readFileSync(fixture('upstream.key.pem')),
        cert: readFileSync(fixture('upstream.cert.pem')),
      })
      atEnd(() => upstream.close())
      // Between claim and first byte is the handshake with the upstream: it takes as long as this wants it to.
      const slow = await startSlowRoad(upstream.url)
      const { folder, start } = await configureGateway({
        upstream: slow.url,
        policies,
        resource: `ca: ${fixture('ca.pem')}`,
        store: 'postgres',
      })

      const [stopped, other] = await Promise.all([start(), start()])
      const asked = stopped.agent('/crm/v1/refunds', waiting(refund(), 300))
      const approval = await stopped.pending()
      await other.vote('dana', approval)
      await slow.entered
      expect(await other.approval(approval.id)).toMatchObject({ state: 'dispatching' })
      stopped.signal('SIGSTOP')
      await expect.poll(() => other.approval(approval.id), soon).toMatchObject({ state: 'unknown' })

      slow.open()
      stopped.signal('SIGCONT')
      await problemIn(asked, 'store-unavailable')
      expect(upstream.arrived).toEqual([])
      // It knows that it sent nothing, and says so: late evidence.
      await expect
        .poll(() => other.approval(approval.id), soon)
        .toMatchObject({ state: 'failed', outcome: { error: 'store-unavailable' } })

      // Both work on; the one that was stopped in a new epoch.
      const again = stopped.agent('/crm/v1/refunds', waiting(refund(), 300))
      await other.vote('noor', await other.pending())
      expect((await again).status).toBe(201)
      expect(upstream.arrived).toHaveLength(1)
      const log = await verifiedLog(other, folder)
      expect(
        log
          .filter((event) => event.approval === approval.id && event.type === 'action.completed')
          .map(({ outcome }) => outcome?.result),
      ).toEqual(['unknown', 'failed'])
    })
  },
)

/** A TCP relay that takes connections, and passes nothing on until it is opened. */
async function startSlowRoad(to: string) {
  const entered = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const { port: target } = new URL(to)
  const server = createServer((near) => {
    entered.resolve()
    void opened.promise.then(() => {
      const far = connect(Number(target), '127.0.0.1')
      near.pipe(far).pipe(near)
      near.on('error', () => far.destroy())
      far.on('error', () => near.destroy())
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => void server.close())
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    entered: entered.promise,
    open: () => opened.resolve(),
  }
}
