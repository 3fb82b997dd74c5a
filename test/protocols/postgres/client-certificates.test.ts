import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { int32, message } from '../../../src/protocols/postgres/wire/messages.ts'
import { Authority, openssl, type CertificateFiles } from '../../support/certificates.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { shown, WireClient } from './wire-client.ts'

/** Clients that show who they are by a certificate, over real TLS: psql, node-postgres, and one that begins TLS directly. */

const policies = `rules:
  - { name: bots-read, who: { group: bots }, on: orders, then: allow }
  - { name: tokens-read, who: { group: agents }, on: orders, then: allow }
`
const spiffe = { alt: 'URI:spiffe://example.org/ns/agents/sa/refund-bot' }

interface AuditEvent {
  readonly type: string
  readonly reason?: string
  readonly subject?: { readonly issuer: string; readonly subject: string }
}

describe.runIf(hasPostgres && openssl)('a client certificate of a database’s listener', () => {
  let authority: Authority
  let stranger: Authority
  let ca: string
  let crl: string
  let db: DatabaseGateway
  let bot: CertificateFiles

  beforeAll(async () => {
    authority = new Authority()
    stranger = new Authority('Stranger')
    ca = join(authority.folder, 'clients.pem')
    crl = join(authority.folder, 'revoked.pem')
    bot = authority.issue('bot', spiffe)
    copyFileSync(authority.file, ca)
    copyFileSync(authority.revoke(), crl)
    const { cert, key } = authority.issue('listener')
    db = await startDatabase({
      policies,
      resource: `tls: { cert: ${cert}, key: ${key}, client_ca: ${ca}, client_crl: ${crl} }`,
      identity: `certificates:
    - { spiffe: 'spiffe://example.org/ns/agents/sa/*', groups: [bots] }
    - { dns: batch.example.com, name: batch, groups: [bots] }`,
    })
  })
  afterAll(() => db.close())

  const psqlArguments = (own: CertificateFiles | null, more = '', port = db.port) => {
    // libpq takes no key that others can read.
    if (own) chmodSync(own.key, 0o600)
    return [
      `host=localhost hostaddr=127.0.0.1 port=${port} dbname=${db.database} user=agent sslmode=verify-full sslrootcert=${authority.file} ` +
        `${own ? `sslcert=${own.cert} sslkey=${own.key}` : 'sslcert=none'} ${more}`,
      ...['-w', '-Atc', 'SELECT count(*) FROM orders'],
    ]
  }

  /** What psql prints, or what it complains of. `token`: left out, it has no password. */
  const psql = (
    own: CertificateFiles | null,
    { token = '', more = '', port = db.port } = {},
  ): Promise<string> =>
    new Promise((resolve) => {
      const env = { ...process.env, PGPASSWORD: token, HOME: authority.folder }
      execFile('psql', psqlArguments(own, more, port), { env }, (_, out, complaint) =>
        resolve(`${out}${complaint}`.trim()),
      )
    })

  function clientWith(own: CertificateFiles, more: pg.ClientConfig = {}): pg.Client {
    const [cert, key] = [readFileSync(own.cert, 'utf8'), readFileSync(own.key, 'utf8')]
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port: db.port, database: db.database, user: 'agent' },
      ssl: { ca: authority.pem, servername: 'localhost', cert, key },
      ...more,
    })
    client.on('error', () => undefined)
    onTestFinished(() => client.end().catch(() => undefined))
    return client
  }

  async function connected(own: CertificateFiles): Promise<pg.Client> {
    const client = clientWith(own)
    await client.connect()
    await client.query('SELECT count(*) FROM orders')
    return client
  }

  async function events(): Promise<AuditEvent[]> {
    return (await db.gateway.auditLog()).map((line) => JSON.parse(line) as AuditEvent)
  }

  /** A token that is worth nothing without the key of this certificate. */
  function bound(own: CertificateFiles): Promise<string> {
    const { raw } = new X509Certificate(readFileSync(own.cert))
    const thumbprint = createHash('sha256').update(raw).digest('base64url')
    return db.gateway.agentToken({ cnf: { 'x5t#S256': thumbprint } })
  }

  const lastActor = async () => (await events()).findLast(({ type }) => type === 'action.decided')

  const refused = async (reason: string) =>
    (await events()).some((event) => event.type === 'identity.refused' && event.reason === reason)

  const unproven = /FATAL: +password authentication failed: .*bound to a key/

  describe('is enough by itself, without a password', () => {
    test('for psql and node-postgres: its SPIFFE id is who acts', async () => {
      expect(await psql(bot)).toBe('200')
      expect(await lastActor()).toMatchObject({
        subject: {
          issuer: 'spiffe://example.org',
          subject: 'spiffe://example.org/ns/agents/sa/refund-bot',
        },
      })
      await connected(authority.issue('batch', { alt: 'DNS:batch.example.com' }))
      expect(await lastActor()).toMatchObject({
        subject: { issuer: 'sallyport:certificates', subject: 'batch' },
      })
    })

    test('where TLS begins directly', async () => {
      const secure = connectTls({
        ...{ host: '127.0.0.1', port: db.port, servername: 'localhost' },
        ...{ ca: authority.pem, cert: readFileSync(bot.cert), key: readFileSync(bot.key) },
        ALPNProtocols: ['postgresql'],
      })
      await new Promise((resolve) => secure.once('secureConnect', resolve))
      onTestFinished(() => void secure.destroy())
      const client = new WireClient(secure)
      client.start({ user: 'agent', database: db.database })
      const received = shown(await client.until('Z'))
      expect(received.filter((type) => type === 'R')).toHaveLength(1)
      expect(received.at(-1)).toBe('Z I')
    })

    test('and nothing before TLS counts for it (class 21)', async () => {
      const client = await WireClient.open(db.port)
      client.send(message('', int32(80_877_103)), message('', int32(3 << 16)))
      expect(shown(await client.until('never'))).toEqual(['E 08P01'])
    })
  })

  describe('is not enough', () => {
    const noPassword = /no password supplied/

    test('where there is none', async () => {
      expect(await psql(null)).toMatch(noPassword)
      expect(await psql(null, { token: await db.gateway.agentToken() })).toBe('200')
    })

    test.each([
      ['of another authority', () => stranger.issue('other', spiffe), 'certificate-untrusted'],
      [
        'that ran out',
        () => authority.issue('old', { ...spiffe, days: -1 }),
        'certificate-untrusted',
      ],
      [
        'that is not valid yet',
        () => authority.issueForLater('later', spiffe),
        'certificate-untrusted',
      ],
      [
        'of a name that nothing is said about',
        () => authority.issue('x', { alt: 'DNS:x.example.com' }),
        'certificate-unknown',
      ],
    ])('%s; that is on record, and a token is good all the same', async (_, issue, reason) => {
      const own = issue()
      expect(await psql(own)).toMatch(noPassword)
      await expect.poll(() => refused(reason)).toBe(true)
      // With an empty password it is told.
      const error = await failureOf(clientWith(own, { password: '' }).connect())
      expect(error).toMatchObject({ code: '28000', severity: 'FATAL' })
      expect(await psql(own, { token: await db.gateway.agentToken() })).toBe('200')
    })
  })

  describe('beside a token', () => {
    const more = `options='-c sallyport.credential=token'`

    test('says who acts, unless the client asks to be asked for the token', async () => {
      const token = await db.gateway.agentToken()
      expect(await psql(bot, { token })).toBe('200')
      expect((await lastActor())?.subject?.issuer).toBe('spiffe://example.org')
      expect(await psql(bot, { token, more })).toBe('200')
      expect((await lastActor())?.subject?.issuer).toBe(db.gateway.issuer.issuer)
      const other = { token, more: `options='-c sallyport.credential=certificate'` }
      expect(await psql(bot, other)).toMatch(/FATAL: +"sallyport.credential" cannot be/)
    })

    test('class 12: that is bound to it makes the token good; another one, or none, makes it worth nothing', async () => {
      const own = stranger.issue('own')
      expect(await psql(own, { token: await bound(own) })).toBe('200')
      expect(await psql(bot, { token: await bound(bot), more })).toBe('200')
      expect(await psql(own, { token: await bound(bot) })).toMatch(unproven)
      expect(await psql(bot, { token: await bound(own), more })).toMatch(unproven)
      expect(await psql(null, { token: await bound(bot) })).toMatch(unproven)
    })
  })

  describe('class 16: ends its sessions', () => {
    beforeEach(async () => {
      copyFileSync(authority.file, ca)
      copyFileSync(authority.revoke(), crl)
      // The gateway has seen that.
      while ((await psql(bot)) !== '200');
    })
    /** How a session that does nothing is ended. */
    const ending = (client: pg.Client) =>
      new Promise<pg.DatabaseError>((resolve) => client.once('error', resolve))
    const over = { code: '57P01', severity: 'FATAL' }

    test('when it is revoked, also where nothing is asked', async () => {
      const client = await connected(bot)
      const ended = ending(client)
      copyFileSync(authority.revoke(bot), crl)
      expect(await ended).toMatchObject(over)
      expect(await psql(bot)).toMatch(/no password supplied/)
      // All were let in by the list before: whoever is still good connects again.
      expect(await psql(authority.issue('again', spiffe))).toBe('200')
    })

    test('also where it came with a token, and one that is bound to it is worth nothing any more', async () => {
      // It stands for nobody: the token says who acts.
      const own = authority.issue('own')
      const token = await bound(own)
      const client = clientWith(own, { password: token })
      await client.connect()
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
      const ended = ending(client)
      copyFileSync(authority.revoke(own), crl)
      expect(await ended).toMatchObject(over)
      expect(await psql(own, { token })).toMatch(unproven)
      // With a key that nobody signed it is as good as it was.
      const unsigned = stranger.issue('unsigned')
      expect(await psql(unsigned, { token: await bound(unsigned) })).toBe('200')
    })

    test('also one whose client began to agree on keys before it was revoked, and took its time', async () => {
      const late = await startLateClients(db.port)
      const slow = psql(bot, { port: late.port })
      await late.waiting
      copyFileSync(authority.revoke(bot), crl)
      while ((await psql(bot)) === '200');
      late.goOn()
      expect(await slow).toMatch(/no password supplied/)
    })

    test('when its authority counts no more, before the next statement', async () => {
      const client = await connected(bot)
      writeFileSync(ca, stranger.pem)
      copyFileSync(stranger.revoke(), crl)
      const endless = async () => {
        for (;;) await client.query('SELECT count(*) FROM orders')
      }
      expect(await failureOf(endless())).toMatchObject(over)
      expect(await psql(stranger.issue('new', spiffe))).toBe('200')
    })
  })
})

/** On the way to this port: what a client says behind its ClientHello stays here until `goOn`. */
async function startLateClients(port: number) {
  const held = Promise.withResolvers<void>()
  const free = Promise.withResolvers<void>()
  const server = createServer((client) => {
    const onward = connectTcp(port, '127.0.0.1')
    for (const socket of [client, onward]) socket.on('error', () => socket.destroy())
    onward.pipe(client)
    let said = 0
    client.on('data', (bytes) => {
      said += 1
      // SSLRequest, and ClientHello.
      if (said <= 2) return void onward.write(bytes)
      held.resolve()
      void free.promise.then(() => onward.write(bytes))
    })
    client.on('close', () => onward.destroy())
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    waiting: held.promise,
    goOn: () => free.resolve(),
  }
}

describe.runIf(hasPostgres && openssl)('a listener that requires client certificates', () => {
  test('turns away whoever has none while keys are agreed on, and asks nobody else to be somebody', async () => {
    const authority = new Authority()
    const { cert, key } = authority.issue('listener')
    const db = await startDatabase({
      policies,
      resource: `tls: { cert: ${cert}, key: ${key}, client_ca: ${authority.file}, client_certificates: require }`,
    })
    onTestFinished(() => db.close())
    const password = await db.gateway.agentToken()
    const connect = async (own?: CertificateFiles) => {
      const shows = own && {
        cert: readFileSync(own.cert, 'utf8'),
        key: readFileSync(own.key, 'utf8'),
      }
      const ssl = { ca: authority.pem, servername: 'localhost', ...shows }
      const client = new pg.Client({ ...(await db.config()), password, ssl })
      client.on('error', () => undefined)
      onTestFinished(() => client.end().catch(() => undefined))
      await client.connect()
      return client.query('SELECT 1 AS one')
    }
    await expect(connect()).rejects.toThrow()
    await expect(connect(new Authority('Stranger').issue('other'))).rejects.toThrow()
    expect((await connect(authority.issue('any'))).rows).toEqual([{ one: 1 }])
  })
})
