import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { problemIn } from '../e2e/requests.ts'
import { freePort } from '../support/free-port.ts'
import { gatewayClient } from '../support/gateway-client.ts'
import { writeTestFolder } from '../support/gateway.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { PostgresServer } from '../support/postgres.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

describe.runIf(storeKinds.includes('postgres'))('a database that is away at the start', () => {
  test('is waited for: 503 until it is there, then everything works; without it, it stops all the same', async () => {
    const server = await PostgresServer.start()
    atEnd(() => server.remove())
    const databaseUrl = await server.createDatabase('late')
    await server.stop()

    const { gateway, addresses, upstream } = await serve(databaseUrl)
    await answers(`${addresses.agentsUrl}/`)
    const refused = await gateway.client.agent('/crm/v1/customers')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await problemIn(refused, 'store-unavailable')).toMatchObject({ reason: 'store-away' })
    expect((await fetch(`${addresses.controlUrl}/readyz`)).status).toBe(503)
    expect((await fetch(`${addresses.controlUrl}/healthz`)).status).toBe(200)
    expect((await fetch(`${addresses.controlUrl}/api/approvals`)).status).toBe(503)

    await server.start()
    await gateway.said('agents ')
    expect((await gateway.client.agent('/crm/v1/customers')).status).toBe(200)
    expect((await fetch(`${addresses.controlUrl}/readyz`)).status).toBe(200)
    expect(upstream.arrived).toHaveLength(1)

    // And when it has gone again, the gateway can be stopped all the same, and says what it could not write.
    await server.stop()
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
    expect(gateway.output()).toContain('the stop is not on record')
    expect(gateway.output()).toContain('"msg":"stopped"')
  })

  test('can be waited for no longer: SIGTERM ends it', async () => {
    const { gateway } = await serve(`postgres://owner@127.0.0.1:${await freePort()}/nowhere`)
    await gateway.said('the store does not answer yet')
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
  })

  test('a database that answers, and is not the right one, is a mistake at once', async () => {
    const url = new URL(await createTestDatabase())
    url.pathname = 'nobody_made_this'
    const { gateway } = await serve(url.href)
    expect(await gateway.ended).toBe(1)
    expect(gateway.output()).toContain(
      'The store says no (3D000): database "nobody_made_this" does not exist',
    )
  })
})

async function serve(databaseUrl: string) {
  const issuer = await startTokenIssuer()
  const upstream = await startCountingUpstream()
  const { folder, file } = await writeTestFolder(
    { upstream: upstream.url, policies, databaseUrl },
    issuer,
  )
  const [agents, control] = [await freePort(), await freePort()]
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text
      .replace('127.0.0.1:0', `127.0.0.1:${agents}`)
      .replace('127.0.0.1:0', `127.0.0.1:${control}`),
  )
  const child = spawn(process.execPath, [cli, 'serve', '--config', join(folder, 'sallyport.yaml')])
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  atEnd(async () => {
    child.kill('SIGKILL')
    await ended
    await issuer.close()
    await upstream.close()
  })
  const addresses = {
    agentsUrl: `http://127.0.0.1:${agents}`,
    controlUrl: `http://127.0.0.1:${control}`,
  }
  const client = gatewayClient(issuer, () => addresses)
  const said = async (text: string) => {
    while (!output.includes(text)) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { gateway: { child, ended, client, said, output: () => output }, addresses, upstream }
}

/** Waits until somebody listens there. */
async function answers(url: string): Promise<void> {
  while (!(await fetch(url).catch(() => null)))
    await new Promise((resolve) => setTimeout(resolve, 50))
}
