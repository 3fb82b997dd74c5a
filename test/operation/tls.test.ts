import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { policies } from '../e2e/policies.ts'
import { problemIn, refund, waiting } from '../e2e/requests.ts'
import { Authority, openssl } from '../support/certificates.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { freePort } from '../support/free-port.ts'
import { gatewayClient } from '../support/gateway-client.ts'
import { writeTestFolder } from '../support/gateway.ts'
import { atEnd } from '../support/store.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'

describe.skipIf(!openssl)('a gateway with TLS on both listeners (needs openssl)', () => {
  let authority: Authority
  const before = getGlobalDispatcher()

  beforeAll(() => {
    authority = new Authority()
    setGlobalDispatcher(new Agent({ connect: { ca: authority.pem } }))
  })
  afterAll(async () => {
    await getGlobalDispatcher().close()
    setGlobalDispatcher(before)
  })

  /** Files as a user has them, the certificates beside the configuration. */
  async function configured(ports: { agents: number; control: number }) {
    const issuer = await startTokenIssuer()
    const upstream = await startCountingUpstream()
    atEnd(() => issuer.close())
    atEnd(() => upstream.close())
    const { folder, file } = await writeTestFolder({ upstream: upstream.url, policies }, issuer)
    for (const listener of ['agents', 'control'] as const) {
      const { cert, key } = authority.issue(listener)
      writeFileSync(join(folder, `${listener}.pem`), readFileSync(cert))
      writeFileSync(join(folder, `${listener}.key`), readFileSync(key))
      const tls = `tls: { cert: ${listener}.pem, key: ${listener}.key }`
      const text = readFileSync(file, 'utf8')
      writeFileSync(
        file,
        text.replace(
          `${listener}: { address: 127.0.0.1:0`,
          `${listener}: { address: 127.0.0.1:${ports[listener]}, ${tls}`,
        ),
      )
    }
    return { issuer, upstream, file, folder }
  }

  test('prints https, holds, is approved, and runs', async () => {
    const { issuer, upstream, file, folder } = await configured({ agents: 0, control: 0 })
    let logged = ''
    const log = createLog('debug', { write: (line) => void (logged += line) })
    const gateway = await startGateway(loadConfig(file, {}), { log })
    atEnd(() => gateway.close())
    expect(gateway.agentsUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(gateway.controlUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)

    const client = gatewayClient(issuer, () => gateway)
    const held = client.agent('/crm/v1/refunds', waiting(refund(), 300))
    expect((await client.vote('dana', await client.pending())).status).toBe(200)
    expect((await held).status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)

    const secret = readFileSync(join(folder, 'agents.key'), 'utf8').split('\n')[1]!
    expect(logged).toContain('listening with this certificate')
    expect(logged).not.toContain(secret)
  })

  test('speaks TLS, too, while it waits for its store', async () => {
    const [agents, control, database] = [await freePort(), await freePort(), await freePort()]
    const { issuer, upstream, file } = await configured({ agents, control })
    const config = {
      ...loadConfig(file, {}),
      store: { url: `postgres://owner@127.0.0.1:${database}/nowhere` },
    }
    const stop = new AbortController()
    const starting = startGateway(config, { log: createLog('silent'), signal: stop.signal })
    const ended = starting.catch((error: unknown) => error)

    const addresses = {
      agentsUrl: `https://127.0.0.1:${agents}`,
      controlUrl: `https://127.0.0.1:${control}`,
    }
    const client = gatewayClient(issuer, () => addresses)
    await vi.waitFor(() => fetch(`${addresses.controlUrl}/healthz`), { timeout: 60_000 })
    const refused = await client.agent('/crm/v1/customers')
    expect(refused.status).toBe(503)
    expect(await problemIn(refused, 'store-unavailable')).toMatchObject({ reason: 'store-away' })
    expect(upstream.arrived).toEqual([])
    stop.abort('enough')
    expect(await ended).toBe('enough')
  })
})
