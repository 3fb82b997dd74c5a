import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { storeKinds } from '../support/store.ts'

describe.runIf(storeKinds.includes('postgres'))('a gateway whose database goes away', () => {
  let server: PostgresServer
  let upstream: CountingUpstream
  let gateway: TestGateway

  beforeAll(async () => {
    server = await PostgresServer.start()
    upstream = await startCountingUpstream()
    gateway = await startTestGateway({
      upstream: upstream.url,
      policies,
      databaseUrl: await server.createDatabase('away'),
      // A lease that ends within the test.
      times: { leaseMs: 6_000, marginMs: 1_000 },
    })
  })

  afterAll(async () => {
    await upstream.close()
    await server.remove()
  })

  const at = (path: string) => fetch(`${gateway.controlUrl}${path}`)

  async function readiness(): Promise<string> {
    const response = await at('/readyz')
    const { status, reason } = (await response.json()) as { status: unknown; reason?: string }
    expect(response.status).toBe(reason ? 503 : 200)
    return reason ?? String(status)
  }

  async function becomes(wanted: string): Promise<void> {
    while ((await readiness()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  async function sample(name: string): Promise<string | undefined> {
    const text = await (await at('/metrics')).text()
    return text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1]
  }

  test('is ready, not ready while it is away, and ready when it is back; the process lives on', async () => {
    await becomes('ok')
    expect((await gateway.agent('/crm/v1/customers')).status).toBe(200)

    await server.stop()
    expect(await readiness()).toBe('store-away')
    expect((await at('/healthz')).status).toBe(200)
    // Metrics are needed now most of all.
    expect(await sample('sallyport_store_up')).toBe('0')
    expect(await sample('sallyport_holds_waiting')).toBe('0')
    const response = await gateway.agent('/crm/v1/notes', { method: 'POST' })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/store-unavailable',
    })
    expect(upstream.arrived.length).toBe(1)
    // By then the lease is over, too.
    while ((await sample('sallyport_lease_held')) !== '0') await readiness()
    expect(Number(await sample('sallyport_audit_append_failures_total'))).toBeGreaterThan(0)

    await server.start()
    await becomes('ok')
    expect((await gateway.agent('/crm/v1/notes', { method: 'POST' })).status).toBe(201)
    expect(await sample('sallyport_store_up')).toBe('1')
    expect(await sample('sallyport_lease_held')).toBe('1')
  })

  test('stops also while an outcome waits to be written, once nobody would believe it any more', async () => {
    const underWay = Promise.withResolvers<() => void>()
    upstream.answer = (_request, response) => underWay.resolve(() => void response.end())
    const sent = gateway.agent('/crm/v1/notes', { method: 'POST' })
    const answer = await underWay.promise
    await server.stop()
    answer()
    expect((await sent).status).toBe(200)
    await gateway.close()
    expect(gateway.logged()).toContain('an outcome could not be recorded; it stays unknown')
    expect(gateway.logged()).toContain('"msg":"stopped"')
  })
})
