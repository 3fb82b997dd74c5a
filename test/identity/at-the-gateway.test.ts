import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { request as requestOverTls } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { calculateThumbprint, generateKeyPair, generateProof, type KeyPair } from 'dpop'
import {
  allowInsecureRequests,
  Configuration,
  fetchProtectedResource,
  getDPoPHandle,
} from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { policies } from '../e2e/policies.ts'
import { Authority, openssl } from '../support/certificates.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

/** A whole gateway, as agents with proofs and certificates meet it, and an identity provider that ends what it began. */

const caep = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const path = '/crm/v1/customers'

let upstream: Upstream
let gateway: TestGateway
let transmitter: TokenIssuer
let keys: KeyPair

beforeAll(async () => {
  upstream = await startUpstream()
  transmitter = await startTokenIssuer()
  keys = await generateKeyPair('ES256')
  gateway = await startTestGateway({ upstream: upstream.url, policies })
  await reconfigure(
    'identity:\n',
    (found) => `${found}  events:
    - { issuer: ${transmitter.issuer}, audience: sallyport, jwks_uri: ${transmitter.issuer}/jwks, about: [${gateway.issuer.issuer}] }
`,
  )
})
beforeEach(() => {
  upstream.requests.length = 0
})
afterAll(async () => {
  await gateway.close()
  await transmitter.close()
  await upstream.close()
})

async function reconfigure(what: string, by: (found: string) => string): Promise<void> {
  const file = join(gateway.folder, 'sallyport.yaml')
  await gateway.restart(() => writeFileSync(file, readFileSync(file, 'utf8').replace(what, by)))
}

const bound = async () =>
  gateway.agentToken({ cnf: { jkt: await calculateThumbprint(keys.publicKey) } })

const proofFor = (token: string, url = `${gateway.agentsUrl}${path}`, method = 'GET') =>
  generateProof(keys, url, method, undefined, token)

describe('DPoP', () => {
  test('a bound token with a proof gets in, once, and neither goes any further', async () => {
    const token = await bound()
    const dpop = await proofFor(token)
    const headers = { authorization: `DPoP ${token}`, dpop }
    const first = await fetch(`${gateway.agentsUrl}${path}?limit=2`, { headers })
    expect(first.status).toBe(200)
    const again = await fetch(`${gateway.agentsUrl}${path}?limit=2`, { headers })
    expect(again.status).toBe(401)
    expect(await again.json()).toMatchObject({ reason: 'proof-replayed' })
    expect(again.headers.get('www-authenticate')).toMatch(
      /DPoP .*error="invalid_dpop_proof".*ES256/,
    )
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]!.raw).not.toContain(dpop)
    expect(upstream.requests[0]!.raw).not.toContain(token)
    expect(upstream.requests[0]!.raw.toLowerCase()).not.toContain('\ndpop')
  })

  test('in Sallyport-Authorization too, and never as Bearer', async () => {
    const token = await bound()
    const url = `${gateway.agentsUrl}${path}`
    const own = { 'sallyport-authorization': `DPoP ${token}`, dpop: await proofFor(token) }
    expect((await fetch(url, { headers: own })).status).toBe(200)
    const bearer = { authorization: `Bearer ${token}`, dpop: await proofFor(token) }
    const refused = await fetch(url, { headers: bearer })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/DPoP .*error="invalid_token"/)
  })

  test('a proof for another path of the gateway, or for the upstream, is none', async () => {
    const token = await bound()
    for (const url of [`${gateway.agentsUrl}${path}/42`, `${upstream.url}/v1/customers`]) {
      const headers = { authorization: `DPoP ${token}`, dpop: await proofFor(token, url) }
      const answer = await fetch(`${gateway.agentsUrl}${path}`, { headers })
      expect(await answer.json()).toMatchObject({ reason: 'proof-invalid' })
    }
    expect(upstream.requests).toEqual([])
  })

  test('a public URL is what proofs are for, whatever Host says', async () => {
    const publicUrl = 'https://agents.example.com/gateway'
    await reconfigure('agents: {', (found) => `${found} public_url: '${publicUrl}',`)
    const token = await bound()
    const statusWith = async (dpop: string) => {
      const headers = { authorization: `DPoP ${token}`, dpop }
      return (await fetch(`${gateway.agentsUrl}${path}`, { headers })).status
    }
    expect(await statusWith(await proofFor(token))).toBe(401)
    expect(await statusWith(await proofFor(token, `${publicUrl}${path}`))).toBe(200)
    await reconfigure(` public_url: '${publicUrl}',`, () => '')
  })
})

test('a session that ends while its request is held: people approve, and nothing runs', async () => {
  const token = await gateway.agentToken({
    sub: 'held-agent',
    iat: Math.floor(Date.now() / 1000) - 5,
  })
  const held = fetch(`${gateway.agentsUrl}/crm/v1/refunds`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      prefer: 'wait=30',
    },
    body: JSON.stringify({ order: 'o-1', amount_cents: 777_000 }),
  })
  const approval = await gateway.pending()
  const event = await transmitter.mint(
    {
      aud: 'sallyport',
      jti: crypto.randomUUID(),
      sub_id: { format: 'iss_sub', iss: gateway.issuer.issuer, sub: 'held-agent' },
      events: { [caep]: { event_timestamp: Math.floor(Date.now() / 1000) } },
    },
    { typ: 'secevent+jwt' },
  )
  const pushed = await fetch(`${gateway.controlUrl}/identity/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt' },
    body: event,
  })
  expect(pushed.status).toBe(202)
  expect((await gateway.vote('noor', approval)).status).toBe(200)
  expect((await held).status).toBe(401)
  expect(upstream.requests).toEqual([])
  const log = await gateway.auditLog()
  expect(log.filter((line) => line.includes('identity.session_revoked'))).toHaveLength(1)
})

test('a client library that knows nonces gets in where they are asked for, without a line of its own', async () => {
  await reconfigure('agents: {', (found) => `${found} dpop_nonces: true,`)
  const url = `${gateway.agentsUrl}${path}`
  const token = await bound()
  const bare = await fetch(url, {
    headers: { authorization: `DPoP ${token}`, dpop: await proofFor(token) },
  })
  expect(bare.status).toBe(401)
  expect(bare.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"')
  expect(bare.headers.get('dpop-nonce')).toMatch(/^[\w-]{43}$/)

  const client = new Configuration({ issuer: gateway.issuer.issuer }, 'agent')
  allowInsecureRequests(client)
  const options = { DPoP: getDPoPHandle(client, keys) }
  const get = () =>
    fetchProtectedResource(client, token, new URL(url), 'GET', null, undefined, options)
  expect((await get()).status).toBe(200)
  expect((await get()).status).toBe(200)
  await reconfigure(' dpop_nonces: true,', () => '')
  const log = await gateway.auditLog()
  expect(log.filter((line) => line.includes('proof-nonce'))).toEqual([])
})

test.skipIf(!openssl)(
  'a client certificate is all that an agent needs, over HTTP/1.1 and HTTP/2 (needs openssl)',
  async () => {
    const authority = new Authority()
    const server = authority.issue('server')
    const bot = authority.issue('bot', { alt: 'URI:spiffe://example.org/agents/support' })
    const tls = `tls: { cert: ${server.cert}, key: ${server.key}, client_ca: ${authority.file} },`
    await reconfigure('agents: {', (found) => `${found} ${tls}`)
    await reconfigure(
      'identity:\n',
      (found) => `${found}  certificates:
    - { spiffe: 'spiffe://example.org/agents/*', groups: [agents], owner: { issuer: '${gateway.issuer.issuer}', subject: priya } }
`,
    )
    const { port } = new URL(gateway.agentsUrl)
    const get = (own: object) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        requestOverTls(
          { host: '127.0.0.1', port, path, ca: authority.pem, agent: false, ...own },
          (response) =>
            void text(response).then((body) => resolve({ status: response.statusCode!, body })),
        )
          .on('error', reject)
          .end()
      })
    const shown = { cert: readFileSync(bot.cert), key: readFileSync(bot.key) }
    expect(await get(shown)).toEqual({ status: 200, body: 'ok' })
    expect((await get({})).status).toBe(401)
    // The same over HTTP/2.
    const session = connect(`https://127.0.0.1:${port}`, { ca: authority.pem, ...shown })
    const stream = session.request({ ':path': path })
    expect(await text(stream)).toBe('ok')
    const token = await bound()
    const dpop = await proofFor(token, `https://127.0.0.1:${port}${path}`)
    const proven = { ':path': path, authorization: `DPoP ${token}`, dpop }
    expect(await text(session.request(proven))).toBe('ok')
    expect(await text(session.request(proven))).toContain('proof-replayed')
    session.close()
    const log = await gateway.auditLog()
    expect(log.some((line) => line.includes('spiffe://example.org/agents/support'))).toBe(true)
  },
)
