import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { configSchema, isPostgres, type PostgresResource } from '../../../../src/config/schema.ts'
import { ScramClient, SaltedPasswords } from '../../../../src/protocols/postgres/login/scram.ts'
import { Upstream } from '../../../../src/protocols/postgres/login/upstream.ts'
import { Authority, openssl } from '../../../support/certificates.ts'
import { PostgresServer } from '../../../support/postgres.ts'
import { hasPostgres } from '../database.ts'

const accessRules = `
host    all postgres 127.0.0.1/32 trust
host    all scram    127.0.0.1/32 scram-sha-256
host    all old      127.0.0.1/32 md5
host    all clear    127.0.0.1/32 password
host    all owner    127.0.0.1/32 trust
`

// Not only ASCII, and with a space that SASLprep makes an ordinary one.
const password = 'pässwort\u00a0ﬁ'

describe.runIf(hasPostgres && openssl)("the gateway's own login", () => {
  let authority: Authority
  let server: PostgresServer
  beforeAll(async () => {
    authority = new Authority()
    const { cert, key } = authority.issue('server')
    const hba = join(authority.folder, 'pg_hba.conf')
    writeFileSync(hba, accessRules)
    chmodSync(authority.folder, 0o755)
    // PostgreSQL runs as another user, and takes no key that others can read.
    if (process.getuid?.() === 0) execFileSync('chown', ['postgres', key])
    server = await PostgresServer.start([
      'ssl=on',
      `ssl_cert_file=${cert}`,
      `ssl_key_file=${key}`,
      `hba_file=${hba}`,
    ])
    const admin = new pg.Client({ connectionString: server.url('postgres', 'postgres') })
    await admin.connect()
    await admin.query(`SET password_encryption = 'scram-sha-256'`)
    await admin.query(`CREATE ROLE scram LOGIN PASSWORD '${password}'`)
    await admin.query(`CREATE ROLE clear LOGIN PASSWORD '${password}'`)
    await admin.query(`SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'secret'`)
    await admin.end()
  })
  afterAll(() => server.remove())

  function upstream(credential: { user: string; password: string }, more: object = {}): Upstream {
    const port = Number(new URL(server.url('postgres')).port)
    const [resource] = configSchema.shape.resources
      .parse([
        {
          name: 'db',
          protocol: 'postgres',
          listen: '127.0.0.1:0',
          upstream: { host: 'localhost', port, databases: ['postgres'], tls: 'disable', ...more },
          credential,
          ca: authority.file,
        },
      ])
      .filter(isPostgres)
    return new Upstream(resource as PostgresResource)
  }

  async function logIn(it: Upstream): Promise<ReadonlyMap<string, string>> {
    const { socket, parameters } = await it.logIn(new Map([['database', 'postgres']]))
    onTestFinished(() => void socket.destroy())
    return parameters
  }

  test.each(['disable', 'verify-full', 'verify-ca'])('by SCRAM, with tls: %s', async (tls) => {
    const it = upstream({ user: 'scram', password }, { tls })
    expect((await logIn(it)).get('session_authorization')).toBe('scram')
    expect((await logIn(it)).get('session_authorization')).toBe('scram')
  })

  test('by MD5, and in clear text inside of TLS alone', async () => {
    await logIn(upstream({ user: 'old', password: 'secret' }))
    await logIn(upstream({ user: 'clear', password }, { tls: 'verify-full' }))
    await expect(logIn(upstream({ user: 'clear', password }))).rejects.toThrow('in clear text')
  })

  test('with a wrong password fails, and says nothing about it to the agent', async () => {
    const failed = logIn(upstream({ user: 'scram', password: 'wrong' }))
    await expect(failed).rejects.toMatchObject({
      code: '08004',
      message: 'The database refused the login of the gateway.',
    })
  })

  test('trusts no server with a certificate of somebody else, or for another name', async () => {
    const other = new Authority()
    const credential = { user: 'scram', password }
    const config = upstream(credential, { tls: 'verify-full', host: '127.0.0.2' })
    await expect(logIn(config)).rejects.toMatchObject({ code: '08001' })
    const port = Number(new URL(server.url('postgres')).port)
    const [stranger] = configSchema.shape.resources
      .parse([
        {
          name: 'db',
          protocol: 'postgres',
          listen: '127.0.0.1:0',
          upstream: { host: 'localhost', port, databases: ['postgres'] },
          credential,
          ca: other.file,
        },
      ])
      .filter(isPostgres)
    await expect(logIn(new Upstream(stranger!))).rejects.toMatchObject({ code: '08001' })
  })

  test('gives up on a server that does not speak the protocol, whatever it says', async () => {
    const words = [
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      Buffer.from('R\0\0'),
      Buffer.from('\0\x01'),
    ]
    const server = createServer((socket) => {
      socket.setNoDelay()
      for (const [i, bytes] of words.entries()) setTimeout(() => socket.write(bytes), i * 20)
      socket.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const config = { user: 'scram', password }
    await expect(logIn(upstream(config, { port, host: '127.0.0.1' }))).rejects.toMatchObject({
      code: '08001',
    })
    words.shift()
    await expect(logIn(upstream(config, { port, host: '127.0.0.1' }))).rejects.toMatchObject({
      code: '08001',
    })
  })

  test('does not reach a server that is not there', async () => {
    const it = upstream({ user: 'scram', password }, { port: 1 })
    await expect(logIn(it)).rejects.toMatchObject({ code: '08001' })
  })
})

describe('SCRAM', () => {
  test('believes no server that does not prove that it knows the password', async () => {
    const client = new ScramClient(['SCRAM-SHA-256'], new SaltedPasswords('pencil'), null)
    const nonce = /r=(.*)$/.exec(client.first)![1]!
    await client.answer(`r=${nonce}server,s=${Buffer.from('salt').toString('base64')},i=4096`)
    expect(() => client.verify('v=AAAA')).toThrow('did not prove')
  })

  test.each([
    ['with another nonce', 'r=stolen,s=c2FsdA==,i=4096'],
    ['with a nonce that adds nothing', 'r=NONCE,s=c2FsdA==,i=4096'],
    ['without a salt', 'r=NONCEx,i=4096'],
    ['with iterations without end', 'r=NONCEx,s=c2FsdA==,i=99999999'],
    ['with no iterations', 'r=NONCEx,s=c2FsdA==,i=0'],
  ])('takes no message %s', async (_, message) => {
    const client = new ScramClient(['SCRAM-SHA-256'], new SaltedPasswords('pencil'), null)
    const nonce = /r=(.*)$/.exec(client.first)![1]!
    await expect(client.answer(message.replace('NONCE', nonce))).rejects.toThrow(/server's/)
  })

  test('binds the channel where it can, and says so where the offer is missing', () => {
    const passwords = new SaltedPasswords('pencil')
    const both = ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']
    expect(new ScramClient(both, passwords, Buffer.alloc(32)).first).toMatch(
      /^p=tls-server-end-point,,/,
    )
    expect(new ScramClient(both.slice(0, 1), passwords, Buffer.alloc(32)).first).toMatch(/^y,,/)
    expect(new ScramClient(both, passwords, null).first).toMatch(/^n,,/)
    expect(() => new ScramClient(['MAGIC'], passwords, null)).toThrow('offers no SCRAM-SHA-256')
  })
})
