import * as DPoP from 'dpop'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { dpopNonces } from '../../src/identity/dpop-nonces.ts'
import type { Refusal } from '../../src/identity/refusal.ts'
import type { DpopRequest } from '../../src/identity/dpop.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

/** security.md, class 12: a token, or a proof, in the hands of somebody else. DPoP (RFC 9449), with a client library that is not ours. */

const url = 'https://gateway.example.com/crm/v1/customers/42'

let idp: TokenIssuer
let authenticator: Authenticator
let replica: Authenticator
let keys: DPoP.KeyPair
let token: string

beforeAll(async () => {
  idp = await startTokenIssuer()
  const store = await openTestStore()
  const { recorder } = collectEvents()
  const deps = { identity: idp.identity(), store, recorder, log: createLog('silent') }
  authenticator = await createAuthenticator(deps)
  replica = await createAuthenticator(deps)
  keys = await DPoP.generateKeyPair('ES256')
  token = await idp.mint({ cnf: { jkt: await DPoP.calculateThumbprint(keys.publicKey) } })
})
afterAll(async () => {
  await authenticator.close()
  await replica.close()
  await idp.close()
})

async function answer(
  shown: Partial<DpopRequest>,
  { credential = token, by = authenticator } = {},
): Promise<string> {
  const request = { scheme: 'dpop', proof: null, method: 'POST', url, ...shown } as const
  try {
    const { subject } = await by.authenticate(credential, { certificate: null, request })
    return `accepted as ${subject.subject}`
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error)
  }
}

const proofFor = (htu = url, htm = 'POST', access: string | undefined = token) =>
  DPoP.generateProof(keys, htu, htm, undefined, access)

/** A proof in which anything can be wrong. */
async function forged(claims: Record<string, unknown>, header: Record<string, unknown> = {}) {
  const { payload } = JSON.parse(
    `{"payload":${Buffer.from((await proofFor()).split('.')[1]!, 'base64url').toString()}}`,
  ) as { payload: Record<string, unknown> }
  const jwk = await exportJWK(keys.publicKey)
  return new SignJWT({ ...payload, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(keys.privateKey)
}

const now = () => Math.floor(Date.now() / 1000)

describe('a token that is bound to a key', () => {
  test('is good with a fresh proof for this very request', async () => {
    expect(await answer({ proof: await proofFor() })).toBe('accepted as refund-bot')
  })

  test('is good for the next request with the next proof, and not with the same one, here or on another replica', async () => {
    const proof = await proofFor()
    expect(await answer({ proof })).toBe('accepted as refund-bot')
    expect(await answer({ proof })).toBe('proof-replayed')
    expect(await answer({ proof }, { by: replica })).toBe('proof-replayed')
    expect(await answer({ proof: await proofFor() }, { by: replica })).toBe(
      'accepted as refund-bot',
    )
  })

  test('of many who show one proof at once, one gets in', async () => {
    const proof = await proofFor()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        answer({ proof }, { by: i % 2 ? replica : authenticator }),
      ),
    )
    expect(answers.filter((text) => text === 'accepted as refund-bot')).toHaveLength(1)
  })

  test('is worth nothing without a proof, or as Bearer', async () => {
    expect(await answer({})).toBe('proof-required')
    expect(await answer({ scheme: 'bearer' })).toBe('proof-required')
    expect(await answer({ scheme: 'bearer', proof: await proofFor() })).toBe('proof-required')
  })

  test('is worth nothing where nobody can show a proof, such as in a database password', async () => {
    await expect(
      Promise.resolve().then(() => authenticator.authenticate(token)),
    ).rejects.toMatchObject({
      reason: 'proof-required',
    })
  })

  test.each([
    ['another method', () => proofFor(url, 'GET')],
    ['another path', () => proofFor('https://gateway.example.com/crm/v1/customers/43')],
    ['another server', () => proofFor('https://evil.example.com/crm/v1/customers/42')],
    ['http instead of https', () => proofFor(url.replace('https', 'http'))],
    ['no token', () => forged({ ath: undefined, jti: crypto.randomUUID() })],
    ['another token', async () => proofFor(url, 'POST', await idp.mint())],
    ['a minute and more ago', () => forged({ iat: now() - 61 })],
    ['the future', () => forged({ iat: now() + 60 })],
    ['no time at all', () => forged({ iat: undefined })],
    ['a time that never comes', () => forged({ iat: 1e300 })],
    ['a time that is text', () => forged({ iat: String(now()) })],
    ['no id', () => forged({ jti: undefined })],
    ['an id without an end', () => forged({ jti: 'x'.repeat(10_000) })],
    ['two URLs', () => forged({ htu: [url] })],
  ])('a proof for %s', async (_, make) => {
    expect(await answer({ proof: await make() })).toBe('proof-invalid')
  })

  test('a query, a fragment, and a port that goes without saying make no other URL', async () => {
    expect(
      await answer({
        proof: await proofFor('https://GATEWAY.example.com:443/crm/v1/customers/42'),
      }),
    ).toBe('accepted as refund-bot')
    expect(
      await answer({ proof: await forged({ htu: `${url}?a=b#c`, jti: crypto.randomUUID() }) }),
    ).toBe('accepted as refund-bot')
  })

  test('another key, a private key, a symmetric one, none, and another kind of token prove nothing', async () => {
    const other = await DPoP.generateKeyPair('ES256')
    expect(
      await answer({ proof: await DPoP.generateProof(other, url, 'POST', undefined, token) }),
    ).toBe('proof-invalid')
    // Signed by one key, and naming the one that the token is bound to.
    const jwk = await exportJWK(keys.publicKey)
    const lie = await new SignJWT({ htm: 'POST', htu: url, jti: 'x', iat: now() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(other.privateKey)
    for (const proof of [
      lie,
      await forged({}, { typ: 'jwt' }),
      await forged({}, { jwk: undefined }),
      await forged({}, { jwk: { kty: 'oct', k: 'AAAA' } }),
      await forged({}, { jwk: { ...jwk, d: 'AAAA' } }),
      `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk })).toString('base64url')}.e30.`,
      'no.jwt.at.all',
      'x'.repeat(100_000),
    ])
      expect(await answer({ proof })).toBe('proof-invalid')
  })
})

describe('where proofs need a nonce (RFC 9449, section 9)', () => {
  const nonces = dpopNonces(Buffer.alloc(32, 1))
  let asking: Authenticator
  beforeAll(async () => {
    const { recorder } = collectEvents()
    const store = await openTestStore()
    const deps = { identity: idp.identity(), store, recorder, log: createLog('silent') }
    asking = await createAuthenticator({ ...deps, nonces })
  })
  afterAll(() => asking.close())

  const withNonce = (nonce: string | undefined) =>
    DPoP.generateProof(keys, url, 'POST', nonce, token)

  test('a proof without one is told which, and the next one gets in, once', async () => {
    const request = {
      scheme: 'dpop',
      proof: await withNonce(undefined),
      method: 'POST',
      url,
    } as const
    const refused = await Promise.resolve(
      asking.authenticate(token, { certificate: null, request }),
    )
      .then(() => null)
      .catch((error: unknown) => error as Refusal)
    expect(refused).toMatchObject({ reason: 'proof-nonce', nonce: nonces.current() })
    const proof = await withNonce(refused!.nonce!)
    expect(await answer({ proof }, { by: asking })).toBe('accepted as refund-bot')
    expect(await answer({ proof }, { by: asking })).toBe('proof-replayed')
  })

  test('one that was made in advance, or with the nonce of another gateway, is not good', async () => {
    const minutes = 60_000
    const later = nonces.current(Date.now() + 5 * minutes)
    const old = nonces.current(Date.now() - 6 * minutes)
    const foreign = dpopNonces(Buffer.alloc(32, 2)).current()
    for (const nonce of [later, old, foreign, '']) {
      expect(await answer({ proof: await withNonce(nonce) }, { by: asking })).toBe('proof-nonce')
    }
    const recent = nonces.current(Date.now() - 3 * minutes)
    expect(await answer({ proof: await withNonce(recent) }, { by: asking })).toBe(
      'accepted as refund-bot',
    )
  })

  test('who has not even the key is not told any', async () => {
    const other = await DPoP.generateKeyPair('ES256')
    const proof = await DPoP.generateProof(other, url, 'POST', undefined, token)
    expect(await answer({ proof }, { by: asking })).toBe('proof-invalid')
  })
})

describe('a token that is bound to nothing', () => {
  test('is a bearer token, whatever else comes along', async () => {
    const credential = await idp.mint()
    expect(await answer({ scheme: 'bearer', proof: 'x' }, { credential })).toBe(
      'accepted as refund-bot',
    )
  })

  test('is not taken for a bound one: its client thinks that nobody else can use it', async () => {
    const credential = await idp.mint()
    const proof = await proofFor(url, 'POST', credential)
    expect(await answer({ proof }, { credential })).toBe('proof-invalid')
  })
})

test('a thumbprint is compared as it is, not as something that looks like it', async () => {
  const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey))
  const credential = await idp.mint({ cnf: { jkt: `${jkt}=` } })
  const proof = await proofFor(url, 'POST', credential)
  expect(await answer({ proof }, { credential })).toBe('proof-invalid')
})
