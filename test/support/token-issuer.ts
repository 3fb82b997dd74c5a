import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { configSchema, type Config } from '../../src/config/schema.ts'

/** An issuer on loopback that signs whatever a test wants to have signed. It serves discovery and its keys, as real ones do. */
export interface TokenIssuer {
  readonly issuer: string
  /** A token of this issuer: for `sallyport`, valid for five minutes, unless the claims say otherwise. `undefined` takes a claim away. */
  mint(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
  /** The public part of the current key. */
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
  /** Signs with a new key from now on; the old one stays published unless it is withdrawn. */
  rotate(options?: { withdraw?: boolean }): Promise<void>
  /** Says from now on, when it is asked about this token, that it is worth nothing (RFC 7662). */
  revoke(token: string): void
  /** Says this too of an opaque token, when it is asked about it. */
  vouch(token: string, claims: Record<string, unknown>): void
  /** How often its keys were asked for. */
  readonly keyRequests: number
  /** Answers 503 to everything, or works again. */
  setDown(down: boolean): void
  /** The part of the configuration that trusts this issuer. */
  identity(overrides?: Record<string, unknown>): Config['identity']
  close(): Promise<void>
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  let current = await newKey()
  let published: JWK[] = [current.jwk]
  let keyRequests = 0
  let down = false
  const revoked = new Set<string>()
  const said = new Map<string, Record<string, unknown>>()

  const server = createServer((request, response) => {
    if (down) {
      response.writeHead(503).end()
      return
    }
    response.setHeader('content-type', 'application/json')
    if (request.url === '/jwks') {
      keyRequests += 1
      response.end(JSON.stringify({ keys: published }))
    } else if (request.url === '/.well-known/openid-configuration') {
      response.end(
        JSON.stringify({
          issuer,
          jwks_uri: `${issuer}/jwks`,
          introspection_endpoint: `${issuer}/introspect`,
        }),
      )
    } else if (request.url === '/introspect') {
      void text(request).then((body) => {
        const token = new URLSearchParams(body).get('token') ?? ''
        response.end(JSON.stringify({ active: !revoked.has(token), ...said.get(token) }))
      })
    } else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    async mint(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({
        iss: issuer,
        aud: 'sallyport',
        sub: 'refund-bot',
        iat: now,
        exp: now + 300,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: current.jwk.kid!, ...header })
        .sign(current.privateKey)
    },
    get publicKey() {
      return current.publicKey
    },
    get privateKey() {
      return current.privateKey
    },
    async rotate({ withdraw = false } = {}) {
      current = await newKey()
      published = withdraw ? [current.jwk] : [...published, current.jwk]
    },
    revoke: (token) => void revoked.add(token),
    vouch: (token, claims) => void said.set(token, claims),
    get keyRequests() {
      return keyRequests
    },
    setDown(is) {
      down = is
    },
    identity: (overrides = {}) =>
      configSchema.shape.identity.parse({
        issuers: [
          {
            issuer,
            audience: 'sallyport',
            claims: { groups: 'groups', owner: 'agent_owner', kind: 'kind' },
          },
        ],
        ...overrides,
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function newKey(): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = {
    ...(await exportJWK(publicKey)),
    kid: crypto.randomUUID(),
    alg: 'ES256',
    use: 'sig',
  }
  return { privateKey, publicKey, jwk }
}
