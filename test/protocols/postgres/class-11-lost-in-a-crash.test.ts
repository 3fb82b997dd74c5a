import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PostgresServer } from '../../support/postgres.ts'
import { failureOf, hasPostgres, startDatabase } from './database.ts'

const policies = `rules:
  - name: calls-need-a-lead
    on: orders
    what: { sql: { verb: [call] } }
    then: hold
    approval: { from: { group: support-leads }, expires: 5m }
`

/**
 * A server that answers before its disk has it loses in a crash what it said to be committed. What comes then has the same transaction numbers, in the same places, and the server itself calls
 * itself the same: it was only its sessions that ended.
 */
describe.runIf(hasPostgres)('class 11: a definition that a crash of the server takes back', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start(['synchronous_commit=off', 'wal_writer_delay=10s'])
  })
  afterAll(() => server.remove())

  async function connect(url: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    onTestFinished(() => client.end().catch(() => undefined))
    return client
  }

  /** A session that dies takes all others with it, and what was only in memory. */
  async function crash(url: string, victim: pg.Client): Promise<void> {
    const { rows } = await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    // Whoever comes before the server has noticed is let in, and thrown out again.
    const witness = await connect(url)
    const noticed = new Promise((resolve) => witness.once('end', resolve))
    process.kill(rows[0]!.pid, 'SIGKILL')
    await noticed
    for (;;) {
      const again = new pg.Client({ connectionString: url })
      again.on('error', () => undefined)
      try {
        await again.connect()
        return await again.end()
      } catch {
        await again.end().catch(() => undefined)
      }
    }
  }

  test('is not what was approved, though its row has the same number, in the same place', async () => {
    const { hostname, port } = new URL(server.url('postgres'))
    const upstream = { host: hostname, port: Number(port) }
    const db = await startDatabase({ policies, upstream, resource: 'wait: 1s' })
    onTestFinished(() => db.close())
    const url = await server.createDatabase(db.database)
    const define = (body: string) =>
      `CREATE OR REPLACE PROCEDURE tidy() LANGUAGE sql AS 'INSERT INTO log VALUES (''${body}'')'`
    const place = `SELECT xmin::text, ctid::text FROM pg_proc WHERE proname = 'tidy'`
    const owner = await connect(url)
    await owner.query(`CREATE TABLE log (word text); ${define('nothing')}`)

    for (let isAlike = false; !isAlike;) {
      const before = await connect(url)
      // That is on the disk, with all its pages: what follows is not enough of the log to be written by itself.
      await before.query(`SET synchronous_commit = on; ${define('nothing')}`)
      await before.query('SET synchronous_commit = off')
      await before.query(define('harmless'))
      const { rows: approved } = await before.query(place)
      expect(await failureOf((await db.connect()).query('CALL tidy()'))).toMatchObject({
        code: 'SP001',
      })
      await db.gateway.vote('dana', await db.gateway.pending())
      await crash(url, before)
      const after = await connect(url)
      await after.query(define('harmful'))
      // If that took too long, the disk had it.
      isAlike = isDeepStrictEqual((await after.query(place)).rows, approved)
      const again = await failureOf((await db.connect()).query('CALL tidy()'))
      expect(again.code).toBe('SP001')
      expect((await after.query('SELECT word FROM log')).rows).toEqual([])
      // For the next round, nothing is open.
      await db.gateway.vote('dana', await db.gateway.pending(), 'deny')
    }
  })
})
