import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateProof, generateKeyPair, type KeyPair } from 'dpop'
import { exportJWK, generateKeyPair as generateSigningKey } from 'jose'
import { Provider } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { stillVouchedFor } from '../../src/identity/credential.ts'
import type { Presented } from '../../src/identity/possession.ts'
import type { Store } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer } from '../support/token-issuer.ts'

/** A real authorization server (oidc-provider), as far as ours has to understand it: bound tokens, opaque tokens, introspection, revocation. */

const log = createLog('silent')
const agent = { client_id: 'refund-bot', client_secret: 'secret-of-the-agent' }
const gateway = { client_id: 'sallyport', client_secret: 'secret-of-the-gateway' }

let server: Server
let issuer: string
let store: Store
let keys: KeyPair
let questions = 0
let down = false

beforeAll(async () => {
  store = await openTestStore()
  keys = await generateKeyPair('ES256')
  server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = await generateSigningKey('ES256', { extractable: true })
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
    clients: [agent, gateway].map((client) => ({ ...machine, ...client })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    cookies: { keys: ['only-for-tests'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:opaque',
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'read',
          audience: resource === 'urn:other' ? 'another' : 'sallyport',
          accessTokenTTL: 300,
          ...(resource === 'urn:jwt'
            ? { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }
            : { accessTokenFormat: 'opaque' }),
        }),
      },
    },
  })
  const answer = provider.callback() as RequestListener
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/token/introspection')) questions += 1
    if (down) response.writeHead(503).end()
    else answer(request, response)
  })
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const basic = ({ client_id, client_secret }: typeof agent) =>
  `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`

async function obtain(resource: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: basic(agent), ...headers },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'read' }),
  })
  const { access_token } = (await response.json()) as { access_token?: string }
  if (!access_token) throw new Error(`no token: ${response.status}`)
  return access_token
}

async function revoke(token: string): Promise<void> {
  await fetch(`${issuer}/token/revocation`, {
    method: 'POST',
    headers: { authorization: basic(agent) },
    body: new URLSearchParams({ token }),
  })
}

function authenticatorWith(introspection?: object): Promise<Authenticator> {
  const identity = configSchema.shape.identity.parse({
    issuers: [{ issuer, audience: 'sallyport', ...(introspection && { introspection }) }],
  })
  return createAuthenticator({ identity, store, recorder: collectEvents().recorder, log })
}

async function answer(by: Authenticator, token: string, presented?: Presented): Promise<string> {
  try {
    const { subject, credential } = await by.authenticate(token, presented)
    return `accepted as ${subject.subject} with ${credential.kind}`
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error)
  }
}

describe('opaque tokens', () => {
  test('are nobody’s, unless their issuer is to be asked', async () => {
    const authenticator = await authenticatorWith()
    expect(await answer(authenticator, await obtain('urn:opaque'))).toBe('malformed')
    await authenticator.close()
  })

  test('are what their issuer says, which is asked once for a while', async () => {
    const authenticator = await authenticatorWith({ tokens: 'opaque', ...gateway })
    const token = await obtain('urn:opaque')
    questions = 0
    const many = await Promise.all(Array.from({ length: 20 }, () => answer(authenticator, token)))
    expect(new Set(many)).toEqual(new Set(['accepted as refund-bot with opaque-token']))
    expect(questions).toBe(1)
    const { subject, credential } = await authenticator.authenticate(token)
    expect(subject).toMatchObject({ issuer, kind: 'agent', related: [{ subject: 'refund-bot' }] })
    expect(credential.expiresAt).toBeGreaterThan(Date.now())
    await authenticator.close()
  })

  test('for somebody else, and those that nobody issued, are refused', async () => {
    const authenticator = await authenticatorWith({ tokens: 'all', ...gateway })
    expect(await answer(authenticator, await obtain('urn:other'))).toBe('wrong-audience')
    expect(await answer(authenticator, 'made-up')).toBe('token-inactive')
    expect(await answer(authenticator, 'x'.repeat(20_000))).toBe('malformed')
    await authenticator.close()
  })

  test('that were revoked are noticed when the answer is too old, and an approval cannot be used with them', async () => {
    const authenticator = await authenticatorWith({ tokens: 'opaque', ...gateway, cache: '50ms' })
    const token = await obtain('urn:opaque')
    const { credential } = await authenticator.authenticate(token)
    expect(await stillVouchedFor(credential)).toBe(true)
    await revoke(token)
    await expect.poll(() => answer(authenticator, token)).toBe('token-inactive')
    expect(await stillVouchedFor(credential)).toBe(false)
    await authenticator.close()
  })

  test('when the issuer does not answer, or does not know us, nobody is let in', async () => {
    const stranger = await authenticatorWith({
      tokens: 'opaque',
      ...gateway,
      client_secret: 'wrong',
    })
    const token = await obtain('urn:opaque')
    expect(await answer(stranger, token)).toBe('introspection-failed')
    await stranger.close()
    const authenticator = await authenticatorWith({ tokens: 'opaque', ...gateway, cache: '1ms' })
    expect(await answer(authenticator, token)).toMatch(/accepted/)
    down = true
    await expect.poll(() => answer(authenticator, token)).toBe('introspection-failed')
    down = false
    await expect.poll(() => answer(authenticator, token)).toMatch(/accepted/)
    await authenticator.close()
  })
})

describe('JWTs', () => {
  test('are verified here, and their issuer is asked besides where it is configured', async () => {
    const plain = await authenticatorWith({ tokens: 'opaque', ...gateway })
    const token = await obtain('urn:jwt')
    questions = 0
    expect(await answer(plain, token)).toBe('accepted as refund-bot with jwt')
    expect(questions).toBe(0)
    await plain.close()
    // oidc-provider does not answer for its JWTs: what a signature says is not enough then, and others are not kept waiting.
    const asking = await authenticatorWith({ tokens: 'all', ...gateway })
    expect(await answer(asking, token)).toBe('introspection-failed')
    expect(await answer(asking, await obtain('urn:opaque'))).toMatch(/accepted/)
    await asking.close()
  })

  test('that were revoked are noticed when the answer is too old, and an approval cannot be used with them', async () => {
    const idp = await startTokenIssuer()
    const introspection = { tokens: 'jwt', ...gateway, cache: '50ms' }
    const identity = idp.identity({
      issuers: [{ issuer: idp.issuer, audience: 'sallyport', introspection }],
    })
    const { recorder } = collectEvents()
    const authenticator = await createAuthenticator({ identity, store, recorder, log })
    const token = await idp.mint()
    const { credential } = await authenticator.authenticate(token)
    expect(await stillVouchedFor(credential)).toBe(true)
    idp.revoke(token)
    await expect.poll(() => answer(authenticator, token)).toBe('token-inactive')
    expect(await stillVouchedFor(credential)).toBe(false)
    expect(await answer(authenticator, 'opaque')).toBe('malformed')
    await authenticator.close()
    await idp.close()
  })
})

describe.each(['urn:jwt', 'urn:opaque'])('DPoP, with a token for %s', (resource) => {
  const url = 'https://gateway.example.com/crm/v1/customers'
  const shown = (proof: string | null, scheme: 'dpop' | 'bearer' = 'dpop'): Presented => ({
    certificate: null,
    request: { scheme, proof, method: 'GET', url },
  })

  test('is bound to the key that it was obtained with', async () => {
    const authenticator = await authenticatorWith({ tokens: 'opaque', ...gateway })
    const token = await obtain(resource, {
      dpop: await generateProof(keys, `${issuer}/token`, 'POST'),
    })
    const proof = () => generateProof(keys, url, 'GET', undefined, token)
    expect(await answer(authenticator, token, shown(await proof()))).toMatch(
      /accepted as refund-bot/,
    )
    expect(await answer(authenticator, token, shown(await proof()))).toMatch(
      /accepted as refund-bot/,
    )
    expect(await answer(authenticator, token, shown(null, 'bearer'))).toBe('proof-required')
    const thief = await generateKeyPair('ES256')
    const forged = await generateProof(thief, url, 'GET', undefined, token)
    expect(await answer(authenticator, token, shown(forged))).toBe('proof-invalid')
    await authenticator.close()
  })
})
