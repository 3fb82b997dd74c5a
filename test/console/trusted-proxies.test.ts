import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Keyring } from '../../src/config/keyring.ts'
import { createControlServer } from '../../src/console/server.ts'
import { createAuthenticator } from '../../src/identity/authenticate.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { collectEvents } from '../support/control-plane.ts'
import { atEnd, openTestStore } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

/** Tries to log in are limited for each address. Behind a proxy that is the address that the proxy saw, and nobody else's word counts. */

let idp: TokenIssuer
beforeAll(async () => {
  idp = await startTokenIssuer()
})
afterAll(() => idp.close())

async function start(trustedProxies: string[]): Promise<string> {
  const identity = idp.identity({ login: { issuer: idp.issuer, client_id: 'console' } })
  const { recorder } = collectEvents()
  const deps = { identity, store: await openTestStore(), recorder, log: createLog('silent') }
  const authenticator = await createAuthenticator(deps)
  const server = await createControlServer({
    ...deps,
    authenticator,
    publicUrl: 'https://sallyport.example.com',
    trustedProxies,
    govern: async () => null,
    cookieKeys: new Keyring([{ key: Buffer.alloc(32, 7), madeAt: new Date(0) }]),
    csrfKey: Buffer.alloc(32, 7),
    obstacle: async () => null,
    pages: null,
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  atEnd(async () => {
    await server.close()
    await authenticator.close()
  })
  return `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/login/callback`
}

/** Whether somebody with this address is turned away, after so many tries of somebody else. */
async function refusedAfter(url: string, tries: number, busy: string, other: string) {
  const from = async (address: string) => {
    const headers = { 'x-forwarded-for': address }
    return (await fetch(url, { headers, redirect: 'manual' })).status
  }
  for (let i = 0; i < tries; i += 1) await from(busy)
  return { busy: (await from(busy)) === 429, other: (await from(other)) === 429 }
}

test('behind a trusted proxy, one who tries too often is refused, and others are not', async () => {
  const url = await start(['127.0.0.0/8'])
  const refused = await refusedAfter(url, 60, '192.0.2.1', '192.0.2.2')
  expect(refused).toEqual({ busy: true, other: false })
})

test('nobody gets more tries by writing other addresses, in front of what the proxy writes or without one', async () => {
  const untrusting = await refusedAfter(await start([]), 60, '192.0.2.1', '192.0.2.2')
  expect(untrusting).toEqual({ busy: true, other: true })
  const [busy, other] = ['192.0.2.9, 192.0.2.1', '192.0.2.8, 192.0.2.1']
  const spoofed = await refusedAfter(await start(['127.0.0.1']), 60, busy, other)
  expect(spoofed).toEqual({ busy: true, other: true })
})
