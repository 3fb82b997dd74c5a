import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Authority, openssl } from '../../support/certificates.ts'
import { int32, message } from '../../../src/protocols/postgres/wire/messages.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { shown, WireClient } from './wire-client.ts'

const run = promisify(execFile)
const sslRequest = message('', int32(80_877_103))

describe.runIf(hasPostgres && openssl)('a listener with a certificate', () => {
  let authority: Authority
  let db: DatabaseGateway
  beforeAll(async () => {
    authority = new Authority()
    const { cert, key } = authority.issue('listener')
    db = await startDatabase({
      policies: 'rules:\n  - { name: all, on: orders, then: allow }\n',
      resource: `tls: { cert: ${cert}, key: ${key} }`,
    })
  })
  afterAll(() => db.close())

  test('takes tokens inside of TLS, from node-postgres and psql', async () => {
    const client = new pg.Client({
      ...(await db.config()),
      ssl: { ca: authority.pem, servername: 'localhost' },
    })
    await client.connect()
    onTestFinished(() => client.end())
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])

    const conninfo = `host=localhost hostaddr=127.0.0.1 port=${db.port} dbname=${db.database} user=agent sslmode=verify-full sslrootcert=${authority.file}`
    const env = { ...process.env, PGPASSWORD: await db.gateway.agentToken() }
    const { stdout } = await run('psql', [conninfo, '-Atc', 'SELECT 40 + 2'], { env })
    expect(stdout).toBe('42\n')
  })

  test('carries long answers and long rows whole', async () => {
    const client = new pg.Client({
      ...(await db.config()),
      ssl: { ca: authority.pem, servername: 'localhost' },
    })
    await client.connect()
    onTestFinished(() => client.end())
    const { rows } = await client.query<{ long: string }>(
      "SELECT i || repeat('x', 100000) AS long FROM generate_series(101, 150) i",
    )
    expect(rows.map(({ long }) => long)).toEqual(
      Array.from({ length: 50 }, (_, i) => `${101 + i}${'x'.repeat(100_000)}`),
    )
    await client.query('CREATE TABLE long_lines (line text)')
    const lines = Array.from({ length: 50 }, (_, i) => `${101 + i}${'z'.repeat(100_000)}`)
    await pipeline(
      Readable.from(lines.map((line) => `${line}\n`)),
      client.query(copyFrom('COPY long_lines FROM STDIN')),
    )
    const stored = await db.direct.query<{ line: string }>('TABLE long_lines')
    expect(stored.rows.map(({ line }) => line)).toEqual(lines)
  })

  test('takes none without TLS, and says what to do', async () => {
    const client = new pg.Client(await db.config())
    const error = await failureOf(client.connect())
    expect(error).toMatchObject({ code: '28000', severity: 'FATAL' })
    expect(error.hint).toContain('sslmode=require')
  })

  test('speaks TLS directly with those that say that they mean PostgreSQL, and with no others', async () => {
    const secure = connectTls({
      host: '127.0.0.1',
      port: db.port,
      ca: authority.pem,
      servername: 'localhost',
      ALPNProtocols: ['postgresql'],
    })
    await new Promise((resolve) => secure.once('secureConnect', resolve))
    const client = new WireClient(secure)
    onTestFinished(() => void secure.destroy())
    const received = shown(await client.logIn(db.database, await db.gateway.agentToken()))
    expect(received.at(-1)).toBe('Z I')

    for (const ALPNProtocols of [[], ['http/1.1']]) {
      const other = connectTls({
        host: '127.0.0.1',
        port: db.port,
        ca: authority.pem,
        servername: 'localhost',
        ALPNProtocols,
      })
      other.on('error', () => undefined)
      const silent = new WireClient(other)
      silent.start({ user: 'agent', database: db.database })
      expect(shown(await silent.until('R'))).not.toContain('R')
    }
  })

  test('believes nothing after TLS that came before it', async () => {
    const raw = connectTcp(db.port, '127.0.0.1')
    const client = new WireClient(raw)
    client.send(sslRequest, message('', int32(3 << 16), Buffer.from('user\0mallory\0\0')))
    const answer: Buffer[] = []
    raw.on('data', (bytes: Buffer) => answer.push(bytes))
    await new Promise((resolve) => raw.once('close', resolve))
    expect(Buffer.concat(answer).toString('latin1')).toMatch(/^E.*unencrypted data/s)
  })

  test('serves with the certificate that its files have now', async () => {
    const files = authority.issue('next')
    const listener = authority.issue('listener')
    expect(readFileSync(files.cert)).not.toEqual(readFileSync(listener.cert))
    const { X509Certificate } = await import('node:crypto')
    const { serialNumber } = new X509Certificate(readFileSync(listener.cert))
    for (let seen = ''; seen !== serialNumber;) {
      const secure = connectTls({
        host: '127.0.0.1',
        port: db.port,
        ca: authority.pem,
        servername: 'localhost',
        ALPNProtocols: ['postgresql'],
      })
      secure.on('error', () => undefined)
      await new Promise((resolve) => secure.once('secureConnect', resolve).once('close', resolve))
      seen = secure.getPeerX509Certificate()?.serialNumber ?? ''
      secure.destroy()
    }
  })
})
