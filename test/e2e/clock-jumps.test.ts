import { beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { atEnd, storeKinds } from '../support/store.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

const soon = { timeout: 60_000, interval: 100 }

const day = 24 * 60 * 60_000

describe.skipIf(!storeKinds.includes('postgres')).each([
  ['forward', day],
  ['back', -day],
])(
  'the clock of one of two gateways jumps %s by a day (class 25; needs PostgreSQL: there is another one)',
  (_direction, jumpMs) => {
    let upstream: CountingUpstream
    let folder: string
    let jumping: GatewayProcess
    let other: GatewayProcess
    let key: string

    beforeAll(async () => {
      upstream = await startCountingUpstream()
      atEnd(() => upstream.close())
      const configured = await configureGateway({
        upstream: upstream.url,
        policies,
        store: 'postgres',
      })
      folder = configured.folder
      ;[jumping, other] = await Promise.all([
        configured.start({ asInstalled: true, jumpMs }),
        configured.start({ asInstalled: true }),
      ])
      // Without an end of its own: a token would be over by then, or not have begun, for a gateway whose clock says so.
      const made = await other.person('dana', '/api/keys', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'timeless', groups: ['agents'] }),
      })
      key = ((await made.json()) as { token: string }).token
    })

    const ask = (replica: GatewayProcess, path: string, init: RequestInit) => {
      const headers = { ...(init.headers as object), authorization: `Bearer ${key}` }
      return fetch(`${replica.agentsUrl}/crm${path}`, { ...init, headers })
    }

    it('and everything goes by the clock of the database', async () => {
      const request = refund()
      const held = ask(jumping, '/v1/refunds', waiting(request, 300))
      const before = await other.pending()

      jumping.signal('SIGUSR2')
      await expect.poll(() => jumping.output(), soon).toContain('the clock says')
      expect(Math.abs(clockOf(jumping) - Date.now())).toBeGreaterThan(day / 2)

      // It has neither expired, nor can it be used for longer.
      expect(await other.approval(before.id)).toMatchObject({ state: 'pending' })
      expect((await other.vote('noor', before)).status).toBe(200)
      expect((await held).status).toBe(201)
      expect(upstream.arrived.filter(({ body }) => body === request.body)).toHaveLength(1)

      // What is asked for there now is open for as long as anywhere else.
      const asked = ask(jumping, '/v1/refunds', waiting(refund(), 0))
      const { task } = await problemIn(asked, 'approval-pending')
      const left = Date.parse(task.expires_at) - Date.now()
      expect(left).toBeGreaterThan(0)
      expect(left).toBeLessThan(day / 2)

      // It has its lease still, and keeps it: what needs one works on, and nobody takes it for dead.
      const note = { method: 'POST', body: 'called back' }
      expect((await ask(jumping, '/v1/notes', note)).status).toBe(201)
      expect((await ask(other, '/v1/notes', note)).status).toBe(201)
      expect((await fetch(`${jumping.controlUrl}/readyz`)).status).toBe(200)

      const log = await verifiedLog(other, folder)
      for (const { time } of log)
        expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(day / 2)
      expect(log.filter(({ outcome }) => outcome?.result === 'unknown')).toEqual([])
    })

    it('and who shows it a token that has an end is let in nowhere longer than elsewhere', async () => {
      // Closed: by its own clock it is over, or not yet good. The other one knows better.
      expect((await jumping.agent('/crm/v1/customers')).status).toBe(401)
      expect((await other.agent('/crm/v1/customers')).status).toBe(200)
    })
  },
)

function clockOf(gateway: GatewayProcess): number {
  return Date.parse(/the clock says (\S+)/.exec(gateway.output())![1]!)
}
