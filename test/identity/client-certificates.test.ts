import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createHash, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { TlsServer } from '../../src/config/tls-server.ts'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { clientCertificateOf } from '../../src/identity/client-certificate.ts'
import { credentialStillValid, stillVouchedFor } from '../../src/identity/credential.ts'
import type { Principal } from '../../src/core/subject.ts'
import type { Store } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Authority, openssl, type CertificateFiles } from '../support/certificates.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

/** Client certificates, from the handshake to the subject, over real TLS: SPIFFE ids and names, revocation, and tokens that are bound to one (RFC 8705). */

describe.skipIf(!openssl)('a client certificate (needs openssl)', () => {
  const log = createLog('silent')
  let authority: Authority
  let stranger: Authority
  let idp: TokenIssuer
  let store: Store
  let authenticator: Authenticator
  let server: TlsServer
  let files: { ca: string; crl: string }
  let bot: CertificateFiles

  beforeAll(async () => {
    authority = new Authority()
    stranger = new Authority()
    authority.issue('server')
    bot = authority.issue('bot', { alt: 'URI:spiffe://example.org/ns/agents/sa/refund-bot' })
    store = await openTestStore()
    idp = await startTokenIssuer()
    const identity = idp.identity({
      certificates: [
        {
          spiffe: 'spiffe://example.org/ns/agents/sa/*',
          groups: ['agents'],
          owner: { issuer: idp.issuer, subject: 'priya' },
        },
        { dns: 'batch.example.com', name: 'batch', kind: 'service' },
        { email: 'ops@example.com', name: 'ops' },
        { subject: 'CN=report\\, daily,O=Example', name: 'report' },
      ],
    })
    const { recorder } = collectEvents()
    authenticator = await createAuthenticator({ identity, store, recorder, log })
  })
  beforeEach(async () => {
    files = { ca: join(authority.folder, 'clients.pem'), crl: join(authority.folder, 'list.pem') }
    copyFileSync(authority.file, files.ca)
    copyFileSync(authority.revoke(), files.crl)
    server = await listen('request')
    return () => close(server)
  })
  afterAll(async () => {
    await authenticator.close()
    await idp.close()
  })

  async function listen(client_certificates: 'request' | 'require'): Promise<TlsServer> {
    const tls = configSchema.shape.listen.parse({
      agents: {
        tls: {
          cert: join(authority.folder, 'server.pem'),
          key: join(authority.folder, 'server.key'),
          client_ca: files.ca,
          client_crl: files.crl,
          client_certificates,
        },
      },
    }).agents.tls!
    const listening = new TlsServer(tls, log)
    listening.on('request', ({ socket, headers }, response) => {
      const token = headers.authorization?.replace('Bearer ', '') ?? ''
      const presented = { certificate: clientCertificateOf(socket), request: null }
      void Promise.resolve()
        .then(() => authenticator.authenticate(token, presented))
        .then(({ subject }) => `${subject.issuer} ${subject.subject}`)
        .catch((error: { reason: string }) => error.reason)
        .then((answer) => response.end(answer))
    })
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    return listening
  }

  const close = (it: TlsServer) =>
    new Promise<void>((resolve) => {
      it.close(() => resolve())
      it.closeAllConnections()
    })

  function agentWith(shown?: CertificateFiles, options: object = {}): Agent {
    const own = shown && { cert: readFileSync(shown.cert), key: readFileSync(shown.key) }
    return new Agent({ ca: authority.pem, ...own, ...options })
  }

  /** Who the server takes the client for; or how the handshake ended. */
  function whoAmI(agent: Agent, { token, by = server }: { token?: string; by?: TlsServer } = {}) {
    const { port } = by.address() as AddressInfo
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return new Promise<string>((resolve) => {
      request(
        { host: '127.0.0.1', port, agent, headers },
        (response) => void text(response).then(resolve),
      )
        .on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'))
        .end()
    })
  }

  const shows = (...[name, options]: Parameters<Authority['issue']>) =>
    whoAmI(agentWith(authority.issue(name, options)))

  describe('stands for', () => {
    test('its SPIFFE id, at its trust domain', async () => {
      expect(await whoAmI(agentWith(bot))).toBe(
        'spiffe://example.org spiffe://example.org/ns/agents/sa/refund-bot',
      )
    })

    test('the name that the configuration gives to a DNS name, an e-mail address, or a subject', async () => {
      expect(await shows('a', { alt: 'DNS:batch.example.com' })).toBe(
        'sallyport:certificates batch',
      )
      expect(await shows('b', { alt: 'email:ops@example.com' })).toBe('sallyport:certificates ops')
      expect(await shows('c', { alt: '', subject: '/O=Example/CN=report, daily' })).toBe(
        'sallyport:certificates report',
      )
    })

    test('nobody, when nothing says whom, or when it could be two', async () => {
      expect(await shows('d', { alt: 'DNS:other.example.com' })).toBe('certificate-unknown')
      expect(await shows('e', { alt: '', subject: '/O=Example/CN=report' })).toBe(
        'certificate-unknown',
      )
      expect(await shows('f', { alt: 'DNS:batch.example.com,email:ops@example.com' })).toBe(
        'certificate-ambiguous',
      )
    })

    test.each([
      [
        'of another trust domain',
        'URI:spiffe://evil.org/ns/agents/sa/refund-bot',
        'certificate-unknown',
      ],
      ['of another path', 'URI:spiffe://example.org/ns/agents/sa/a/b', 'certificate-unknown'],
      ['of the trust domain itself', 'URI:spiffe://example.org', 'certificate-ambiguous'],
      ['with an empty part', 'URI:spiffe://example.org/ns//sa/x', 'certificate-ambiguous'],
      ['with a dot segment', 'URI:spiffe://example.org/ns/agents/sa/..', 'certificate-ambiguous'],
      ['with a query', 'URI:spiffe://example.org/ns/agents/sa/x?a', 'certificate-ambiguous'],
      ['with a port', 'URI:spiffe://example.org:1/ns/agents/sa/x', 'certificate-ambiguous'],
      ['in capitals', 'URI:SPIFFE://example.org/ns/agents/sa/x', 'certificate-ambiguous'],
      [
        'beside another URI',
        'URI:spiffe://example.org/ns/agents/sa/x,URI:https://example.org',
        'certificate-ambiguous',
      ],
      [
        'that only a DNS name looks like',
        'DNS:spiffe://example.org/ns/agents/sa/x',
        'certificate-unknown',
      ],
    ])('nobody, with a SPIFFE id %s', async (_, alt, reason) => {
      expect(await shows('g', { alt })).toBe(reason)
    })

    test('nobody, when it is an authority’s own', async () => {
      const alt = 'URI:spiffe://example.org/ns/agents/sa/x'
      expect(await shows('h', { alt, ca: true })).toBe('certificate-unknown')
    })

    test('nobody, when somebody else signed it, or it ran out', async () => {
      const alt = 'URI:spiffe://example.org/ns/agents/sa/refund-bot'
      expect(await whoAmI(agentWith(stranger.issue('i', { alt })))).toBe('certificate-untrusted')
      expect(await shows('j', { alt, days: -1 })).toBe('certificate-untrusted')
    })
  })

  test('is not needed where a token comes, unless the listener requires one', async () => {
    const token = await idp.mint()
    expect(await whoAmI(agentWith(), { token })).toBe(`${idp.issuer} refund-bot`)
    expect(await whoAmI(agentWith())).toBe('missing')
    const strict = await listen('require')
    expect(await whoAmI(agentWith(), { token, by: strict })).toMatch(/^E|^ERR/)
    expect(await whoAmI(agentWith(stranger.issue('k')), { token, by: strict })).toMatch(/^E|^ERR/)
    expect(await whoAmI(agentWith(bot), { token, by: strict })).toBe(`${idp.issuer} refund-bot`)
    await close(strict)
  })

  test('that is revoked ends, on a connection that is open and on a new one, also when its client resumes a session', async () => {
    const open = agentWith(bot, { keepAlive: true, maxCachedSessions: 10 })
    expect(await whoAmI(open)).toMatch(/refund-bot/)
    copyFileSync(authority.revoke(bot), files.crl)
    await expect.poll(() => whoAmI(open), { timeout: 60_000 }).toBe('certificate-untrusted')
    expect(await whoAmI(agentWith(bot))).toBe('certificate-untrusted')
    open.destroy()
  })

  test('class 16: that is revoked while its request waits for people, or a stream goes on, ends with it', async () => {
    const shown = new Promise<Principal>((resolve, reject) => {
      server.once('request', ({ socket }) => {
        const presented = { certificate: clientCertificateOf(socket), request: null }
        Promise.resolve(authenticator.authenticate('', presented)).then(resolve, reject)
      })
    })
    const open = agentWith(bot, { keepAlive: true })
    expect(await whoAmI(open)).toMatch(/refund-bot/)
    const principal = await shown
    expect(await credentialStillValid(store, principal.credential)).toBe(true)
    await authenticator.recheck(principal)
    copyFileSync(authority.revoke(bot), files.crl)
    const valid = () => stillVouchedFor(principal.credential)
    await expect.poll(valid, { timeout: 60_000 }).toBe(false)
    await expect(authenticator.recheck(principal)).rejects.toMatchObject({
      reason: 'certificate-untrusted',
    })
    open.destroy()
  })

  test('of an authority that counts no more ends', async () => {
    const open = agentWith(bot, { keepAlive: true })
    expect(await whoAmI(open)).toMatch(/refund-bot/)
    writeFileSync(files.ca, stranger.pem)
    await expect.poll(() => whoAmI(open), { timeout: 60_000 }).toBe('certificate-untrusted')
    open.destroy()
  })

  test('is a credential with an end, and stays the same subject when it is renewed', async () => {
    const certificate = new X509Certificate(readFileSync(bot.cert))
    const thumbprint = createHash('sha256').update(certificate.raw)
    const shown = {
      certificate,
      thumbprint: thumbprint.copy().digest('base64url'),
      trusted: true,
      revoked: false,
      stillTrusted: () => true,
    }
    const { subject, credential } = await authenticator.authenticate('', {
      certificate: shown,
      request: null,
    })
    expect(subject).toMatchObject({
      kind: 'agent',
      groups: ['agents'],
      owner: { issuer: idp.issuer, subject: 'priya' },
      claims: {},
    })
    expect(credential).toMatchObject({
      kind: 'certificate',
      id: thumbprint.digest('hex'),
      expiresAt: certificate.validToDate.getTime(),
    })
    expect(await credentialStillValid(store, credential)).toBe(true)
    expect(await credentialStillValid(store, { ...credential, expiresAt: 1 })).toBe(false)
  })

  describe('that a token is bound to (RFC 8705, class 12)', () => {
    const bound = ({ cert }: CertificateFiles) => {
      const { raw } = new X509Certificate(readFileSync(cert))
      const thumbprint = createHash('sha256').update(raw).digest('base64url')
      return idp.mint({ cnf: { 'x5t#S256': thumbprint } })
    }

    test('makes the token good, and its absence or another one nothing', async () => {
      const token = await bound(bot)
      expect(await whoAmI(agentWith(bot), { token })).toBe(`${idp.issuer} refund-bot`)
      expect(await whoAmI(agentWith(), { token })).toBe('proof-required')
      expect(await whoAmI(agentWith(authority.issue('l')), { token })).toBe('proof-required')
    })

    test('counts for its key, whoever signed it: it stands for nobody by itself', async () => {
      const own = stranger.issue('m')
      expect(await whoAmI(agentWith(own), { token: await bound(own) })).toBe(
        `${idp.issuer} refund-bot`,
      )
      expect(await whoAmI(agentWith(own))).toBe('certificate-untrusted')
    })
  })
})
