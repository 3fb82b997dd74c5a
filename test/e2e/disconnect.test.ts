import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { configureGateway } from '../support/gateway-process.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'
import { policies } from './policies.ts'
import { problemIn, refund, verifiedLog, waiting } from './requests.ts'

const soon = { timeout: 60_000, interval: 50 }

let upstream: CountingUpstream

beforeAll(async () => {
  upstream = await startCountingUpstream()
  atEnd(() => upstream.close())
})

beforeEach(() => {
  upstream.arrived.length = 0
})

/** A client that can hang up. */
function caller(gateway: TestGateway, request: RequestInit) {
  const hungUp = new AbortController()
  const { signal } = hungUp
  const init = { ...waiting(request, 300), signal }
  const answer = gateway.agent('/crm/v1/refunds', init).catch((error: unknown) => error)
  return {
    hangUp: async () => {
      hungUp.abort()
      expect(await answer).toMatchObject({ name: 'AbortError' })
    },
  }
}

describe('a client that goes away while its action is held', () => {
  let gateway: TestGateway

  beforeAll(async () => {
    gateway = await startTestGateway({ upstream: upstream.url, policies })
  })

  afterAll(() => gateway.close())

  it('leaves its task behind, and nothing runs until the request is sent again', async () => {
    const request = refund()
    const client = caller(gateway, request)
    const approval = await gateway.pending()
    await client.hangUp()
    expect((await gateway.vote('dana', approval)).status).toBe(200)
    expect(await gateway.approval(approval.id)).toMatchObject({ state: 'approved' })
    const status = await gateway.agent(`/access/v1/requests/${approval.id}`)
    expect(await status.json()).toMatchObject({ task: { status: 'approved' } })
    expect(upstream.arrived).toEqual([])
    expect((await gateway.agent('/crm/v1/refunds', waiting(request, 0))).status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)
  })
})

describe('where the configuration says on_disconnect: cancel', () => {
  let gateway: TestGateway

  beforeAll(async () => {
    const config = 'hold: { on_disconnect: cancel }'
    gateway = await startTestGateway({ upstream: upstream.url, policies, config })
  })

  afterAll(() => gateway.close())

  it('its task is cancelled, and says why', async () => {
    const client = caller(gateway, refund())
    const approval = await gateway.pending()
    await client.hangUp()
    await expect
      .poll(() => gateway.approval(approval.id), soon)
      .toMatchObject({ state: 'cancelled', resolution: { reason: 'The client went away.' } })
    await problemIn(gateway.vote('dana', approval), 'already-resolved')
    expect(upstream.arrived).toEqual([])
  })

  it('its task stays as long as somebody else waits for it', async () => {
    const request = refund()
    const client = caller(gateway, request)
    const approval = await gateway.pending()
    const other = gateway.agent('/crm/v1/refunds', waiting(request, 300))
    const joined = async () =>
      (await verifiedLog(gateway, gateway.folder)).filter(
        (event) => event.type === 'action.decided' && event.approval === approval.id,
      ).length
    await expect.poll(joined, soon).toBe(2)
    await client.hangUp()
    await gateway.vote('dana', approval)
    expect((await other).status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)
  })
})

describe('a gateway that is told to stop (SIGTERM)', () => {
  it('answers whoever waits with the task, lets finish what runs, and goes', async () => {
    const { start } = await configureGateway({ upstream: upstream.url, policies })
    const gateway = await start({ asInstalled: true })
    const request = refund()
    const held = gateway.agent('/crm/v1/refunds', waiting(request, 300))
    const approval = await gateway.pending()
    const answer = upstream.answer
    const underWay = Promise.withResolvers<() => void>()
    upstream.answer = (_request, response) =>
      underWay.resolve(() => void response.writeHead(201).end('done'))
    const sent = gateway.agent('/crm/v1/notes', { method: 'POST', body: 'called back' })
    const finish = await underWay.promise
    upstream.answer = answer

    gateway.signal('SIGTERM')
    expect((await problemIn(held, 'approval-pending')).task.id).toBe(approval.id)
    finish()
    expect(await (await sent).text()).toBe('done')
    expect(await gateway.ended).toBe(0)

    // It left no run behind, so nothing has to be waited for.
    const next = await start({ asInstalled: true })
    expect((await next.vote('dana', await next.pending())).status).toBe(200)
    expect((await next.agent('/crm/v1/refunds', waiting(request, 0))).status).toBe(201)
  })
})
