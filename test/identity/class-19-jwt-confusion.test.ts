import { createHmac, createPublicKey, generateKeyPairSync, KeyObject, sign } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createJwtVerifier, type VerifyJwt } from '../../src/identity/jwt.ts'
import { nothingElse, provePossession } from '../../src/identity/possession.ts'
import { Refusal } from '../../src/identity/refusal.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

/** security.md, class 19: a token that one side reads differently from the other, or that is signed by whoever presents it. */

let idp: TokenIssuer
let stranger: TokenIssuer
let verify: VerifyJwt

beforeAll(async () => {
  idp = await startTokenIssuer()
  stranger = await startTokenIssuer()
  verify = createJwtVerifier(idp.identity(), createLog('silent'))
})
afterAll(async () => {
  await idp.close()
  await stranger.close()
})

/** Whoever gets as far as asking the store has shown a proof, and nobody does here. */
const asked = () => Promise.reject(new Error('asked the store'))
const nothingIsKnown = {
  db: { query: asked, exchange: asked },
  nonces: null,
}

async function reasonFor(token: string): Promise<string> {
  try {
    const { principal, confirmation } = await verify(token)
    await provePossession(token, confirmation, nothingElse, nothingIsKnown)
    const { subject } = principal
    return `accepted as ${subject.subject}`
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    for (const part of token.split('.').filter(({ length }) => length > 20)) {
      expect(JSON.stringify(error.toJSON())).not.toContain(part)
    }
    return error.reason
  }
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

function claims(extra: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return { iss: idp.issuer, aud: 'sallyport', sub: 'root', iat: now, exp: now + 300, ...extra }
}

/** A token with exactly these bytes as header and claims, signed with the issuer's real key. */
function signedBytes(header: string, payload: string, key = idp.privateKey): string {
  const input = `${encode(header)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), {
    key: KeyObject.from(key),
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${signature.toString('base64url')}`
}

async function kid(): Promise<string> {
  const [header] = (await idp.mint()).split('.')
  return JSON.parse(Buffer.from(header!, 'base64url').toString()).kid
}

describe('the signature', () => {
  test('a good token is accepted', async () => {
    expect(await reasonFor(await idp.mint())).toBe('accepted as refund-bot')
  })

  test.each(['none', 'None', 'NONE', 'nOnE'])('alg %s is no signature', async (alg) => {
    const header = encode({ alg, kid: await kid() })
    expect(await reasonFor(`${header}.${encode(claims())}.`)).toMatch(
      /algorithm-not-allowed|malformed/,
    )
  })

  test('HS256 keyed with the public key, which everybody has', async () => {
    const publicForms = [
      await exportSPKI(idp.publicKey),
      JSON.stringify(await exportJWK(idp.publicKey)),
      createPublicKey(await exportSPKI(idp.publicKey)).export({ type: 'spki', format: 'der' }),
    ]
    for (const secret of publicForms) {
      const input = `${encode({ alg: 'HS256', kid: await kid() })}.${encode(claims())}`
      const mac = createHmac('sha256', secret).update(input).digest('base64url')
      expect(await reasonFor(`${input}.${mac}`)).toBe('algorithm-not-allowed')
    }
  })

  test('an empty signature', async () => {
    const [header, payload] = (await idp.mint()).split('.')
    expect(await reasonFor(`${header}.${payload}.`)).toBe('bad-signature')
  })

  test('all zeros, which CVE-2022-21449 took for a signature', async () => {
    const [header, payload] = (await idp.mint()).split('.')
    const zeros = Buffer.alloc(64).toString('base64url')
    expect(await reasonFor(`${header}.${payload}.${zeros}`)).toBe('bad-signature')
  })

  test('claims changed after signing', async () => {
    const [header, , signature] = (await idp.mint()).split('.')
    expect(await reasonFor(`${header}.${encode(claims())}.${signature}`)).toBe('bad-signature')
  })

  test('any one character of a good signature changed', async () => {
    const token = await idp.mint()
    const [header, payload, signature] = token.split('.')
    for (const at of [0, 20, 60]) {
      const other = signature![at] === 'A' ? 'B' : 'A'
      const forged = signature!.slice(0, at) + other + signature!.slice(at + 1)
      expect(await reasonFor(`${header}.${payload}.${forged}`)).toBe('bad-signature')
    }
  })

  test('signed by a key of their own, named like the real one', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const token = signedBytes(
      JSON.stringify({ alg: 'ES256', kid: await kid() }),
      JSON.stringify(claims()),
      privateKey,
    )
    expect(await reasonFor(token)).toBe('bad-signature')
  })

  test('a kid that the issuer does not have', async () => {
    expect(await reasonFor(await idp.mint({}, { kid: 'another' }))).toBe('unknown-key')
    expect(await reasonFor(await idp.mint({}, { kid: '../../dev/null' }))).toBe('unknown-key')
  })

  test('a key, or where to get one, inside the token is not looked at', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    for (const header of [
      { jwk },
      { jku: `${stranger.issuer}/jwks` },
      { x5u: `${stranger.issuer}/cert` },
      { x5c: ['MIIB'] },
    ]) {
      const before = stranger.keyRequests
      const token = await new SignJWT(claims())
        .setProtectedHeader(Object.assign({ alg: 'ES256', kid: await kid() }, header))
        .sign(privateKey)
      expect(await reasonFor(token)).toBe('bad-signature')
      expect(stranger.keyRequests).toBe(before)
    }
  })

  test('an algorithm that the key could do, and the configuration does not list', async () => {
    const strict = createJwtVerifier(
      idp.identity({
        issuers: [{ issuer: idp.issuer, audience: 'sallyport', algorithms: ['RS256'] }],
      }),
      createLog('silent'),
    )
    await expect(strict(await idp.mint())).rejects.toMatchObject({
      reason: 'algorithm-not-allowed',
    })
  })

  test('an RSA signature under the kid of an EC key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const input = `${encode({ alg: 'RS256', kid: await kid() })}.${encode(claims())}`
    const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url')
    expect(await reasonFor(`${input}.${signature}`)).toBe('unknown-key')
  })
})

describe('the form', () => {
  test.each([
    ['nothing', ''],
    ['a word', 'hello'],
    ['two parts', 'a.b'],
    ['four parts', 'a.b.c.d'],
    ['five parts, as if encrypted', 'a.b.c.d.e'],
    ['dots', '..'],
    ['no base64', '!!.??.**'],
  ])('%s', async (_, token) => {
    expect(await reasonFor(token)).toBe('malformed')
  })

  test('a huge token is not even decoded', async () => {
    expect(await reasonFor(await idp.mint({ padding: 'x'.repeat(20_000) }))).toBe('malformed')
  })

  test('an unencoded payload (b64: false, RFC 7797) is no JWT', async () => {
    const header = JSON.stringify({ alg: 'ES256', kid: await kid(), b64: false, crit: ['b64'] })
    expect(await reasonFor(signedBytes(header, JSON.stringify(claims())))).toBe('malformed')
  })

  test('a critical header that is not understood', async () => {
    const header = JSON.stringify({ alg: 'ES256', kid: await kid(), crit: ['bank'], bank: true })
    expect(await reasonFor(signedBytes(header, JSON.stringify(claims())))).toBe('malformed')
  })

  test.each(['[]', '"text"', 'null', '1', '{"sub":', '{"sub":"a"} {"sub":"b"}'])(
    'claims that are no object: %s',
    async (payload) => {
      const header = JSON.stringify({ alg: 'ES256', kid: await kid() })
      expect(await reasonFor(signedBytes(header, payload))).toMatch(/malformed|bad-claims/)
    },
  )

  test('a claim that is there twice: the last one counts, for everybody (RFC 7519, §4)', async () => {
    const header = JSON.stringify({ alg: 'ES256', kid: await kid() })
    const payload = JSON.stringify(claims()).replace('"sub":"root"', '"sub":"root","sub":"bot"')
    expect(await reasonFor(signedBytes(header, payload))).toBe('accepted as bot')
  })

  test('a header with duplicate alg, none last', async () => {
    const header = `{"alg":"ES256","kid":"${await kid()}","alg":"none"}`
    expect(await reasonFor(signedBytes(header, JSON.stringify(claims())))).toMatch(
      /algorithm-not-allowed|malformed/,
    )
  })
})

describe('for whom, by whom, when', () => {
  const now = () => Math.floor(Date.now() / 1000)

  test('another audience', async () => {
    for (const aud of ['somebody-else', ['a', 'b'], 'sallyport ', 'SALLYPORT', [], {}, 1, null]) {
      expect(await reasonFor(await idp.mint({ aud }))).toBe('wrong-audience')
    }
  })

  test('no audience', async () => {
    expect(await reasonFor(await idp.mint({ aud: undefined }))).toBe('wrong-audience')
  })

  test('an issuer that is not configured', async () => {
    expect(await reasonFor(await stranger.mint())).toBe('unknown-issuer')
  })

  test('a stranger who signs in the name of a configured issuer', async () => {
    expect(await reasonFor(await stranger.mint({ iss: idp.issuer }))).toBe('unknown-key')
  })

  test('an issuer that differs by a slash or by case', async () => {
    for (const iss of [`${idp.issuer}/`, idp.issuer.toUpperCase(), ` ${idp.issuer}`]) {
      expect(await reasonFor(await idp.mint({ iss }))).toBe('unknown-issuer')
    }
  })

  test('no issuer, or one that is no string', async () => {
    for (const iss of [undefined, [idp.issuer], null, 7]) {
      expect(await reasonFor(await idp.mint({ iss }))).toMatch(/bad-claims|malformed/)
    }
  })

  test('two issuers that share a key stay two issuers', async () => {
    const both = createJwtVerifier(
      idp.identity({
        issuers: [
          { issuer: idp.issuer, audience: 'sallyport' },
          { issuer: stranger.issuer, audience: 'sallyport' },
        ],
      }),
      createLog('silent'),
    )
    const token = await idp.mint({ iss: stranger.issuer })
    await expect(both(token)).rejects.toMatchObject({ reason: 'unknown-key' })
  })

  test('expired', async () => {
    expect(await reasonFor(await idp.mint({ exp: now() - 3_600 }))).toBe('token-expired')
    expect(await reasonFor(await idp.mint({ exp: 0 }))).toBe('token-expired')
  })

  test('within the skew that is configured, and beyond it', async () => {
    expect(await reasonFor(await idp.mint({ exp: now() - 10 }))).toMatch(/accepted/)
    expect(await reasonFor(await idp.mint({ exp: now() - 40 }))).toBe('token-expired')
  })

  test('no expiry, or one that never comes', async () => {
    for (const exp of [undefined, '9999999999', null, 1e15]) {
      expect(await reasonFor(await idp.mint({ exp }))).toBe('bad-claims')
    }
    const header = JSON.stringify({ alg: 'ES256', kid: await kid() })
    const payload = JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')
    expect(await reasonFor(signedBytes(header, payload))).toBe('bad-claims')
  })

  test('not valid yet', async () => {
    expect(await reasonFor(await idp.mint({ nbf: now() + 600 }))).toBe('token-not-yet-valid')
    expect(await reasonFor(await idp.mint({ iat: now() + 600 }))).toBe('token-not-yet-valid')
  })
})

describe('another kind of token', () => {
  test.each([
    ['an ID token, by its nonce', { nonce: 'n' }, {}],
    ['an ID token, by its at_hash', { at_hash: 'h' }, {}],
    ['an ID token of Cognito', { token_use: 'id' }, {}],
    ['an ID token of Keycloak', { typ: 'ID' }, {}],
    ['a refresh token of Keycloak', { typ: 'Refresh' }, {}],
    ['a logout token, by its header', {}, { typ: 'logout+jwt' }],
    ['a logout token, by its events', { events: {} }, {}],
    ['a DPoP proof', {}, { typ: 'dpop+jwt' }],
    ['a type that is no string', {}, { typ: 1 }],
  ])('%s', async (_, extra, header) => {
    expect(await reasonFor(await idp.mint(extra, header))).toMatch(/not-an-access-token|malformed/)
  })

  test.each(['JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt'])('typ %s is welcome', async (typ) => {
    expect(await reasonFor(await idp.mint({}, { typ }))).toMatch(/accepted/)
  })

  test('a token that is bound to a key of its holder is not taken for a bearer token', async () => {
    const cnfs = [
      { jkt: 'thumbprint' },
      { 'x5t#S256': 'thumbprint' },
      { jwk: { kty: 'EC' } },
      { jkt: 'thumbprint', kid: 'too' },
      { jkt: 7 },
      {},
      [],
      null,
      'jkt',
    ]
    for (const cnf of cnfs) expect(await reasonFor(await idp.mint({ cnf }))).toBe('proof-required')
  })
})

describe('the subject', () => {
  test('no subject, or one that is no name', async () => {
    for (const sub of [undefined, '', ['root'], { a: 1 }, 7, null, 'a\u0000b', 'a\nb', '\ud800']) {
      expect(await reasonFor(await idp.mint({ sub }))).toMatch(/bad-claims|malformed/)
    }
    expect(await reasonFor(await idp.mint({ sub: 'x'.repeat(600) }))).toBe('bad-claims')
  })
})
