import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { configSchema, isPostgres } from '../../../src/config/schema.ts'
import { Problem } from '../../../src/core/errors.ts'
import type { Principal } from '../../../src/core/subject.ts'
import { createPostgresServer } from '../../../src/protocols/postgres/server.ts'
import { createAnalyser } from '../../../src/protocols/postgres/sql/analyse.ts'
import type { Analyser } from '../../../src/protocols/postgres/sql/statement.ts'
import {
  bind,
  cstring,
  flush,
  int32,
  message,
  parse,
  query,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { Metrics } from '../../../src/telemetry/metrics.ts'
import { quiet } from '../../support/audit.ts'
import { createTestDatabase } from '../../support/store.ts'
import { StandInGate } from '../http/stand-in-gate.ts'
import { failureOf, hasPostgres } from './database.ts'
import { shown, WireClient } from './wire-client.ts'

const principal: Principal = {
  subject: {
    issuer: 'https://idp.test',
    subject: 'alice',
    kind: 'agent',
    groups: [],
    owner: null,
    chain: [],
    related: [],
    claims: {},
  },
  credential: { kind: 'jwt', id: 'token', expiresAt: null },
}

/** So many rows of a portal; all of them, if left out. */
const execute = (portal: string, rows = 0): Buffer => message('E', cstring(portal), int32(rows))

describe.runIf(hasPostgres)('a permit', () => {
  let analyser: Analyser
  let direct: pg.Client
  let database: string
  beforeAll(async () => {
    analyser = await createAnalyser()
    const url = new URL(await createTestDatabase())
    database = url.pathname.slice(1)
    direct = new pg.Client({ connectionString: url.href })
    await direct.connect()
    await direct.query('CREATE TABLE words (word text)')
    await direct.query("INSERT INTO words VALUES ('sesame')")
  })
  afterAll(async () => {
    await direct.end()
    await analyser.close()
  })

  /** A listener whose gate does as it is told. */
  async function start(): Promise<{
    gate: StandInGate
    port: number
    connect(): Promise<pg.Client>
  }> {
    const gate = new StandInGate()
    const { hostname, port: upstreamPort } = new URL(inject('postgres')!.server)
    const [resource] = configSchema.shape.resources
      .parse([
        {
          name: 'words',
          protocol: 'postgres',
          listen: '127.0.0.1:0',
          trusted: true,
          upstream: {
            host: hostname,
            port: Number(upstreamPort),
            tls: 'disable',
            databases: [database],
          },
          credential: { user: 'owner', password: 'x' },
        },
      ])
      .filter(isPostgres)
    const server = createPostgresServer({
      resource: resource!,
      binding: 'words as they are bound',
      authenticator: {
        authenticate: () => principal,
        recheck: () => undefined,
        suffices: () => false,
      },
      gate,
      analyser,
      limits: configSchema.shape.hold.parse({}),
      drain: 1000,
      log: quiet,
      metrics: new Metrics(),
    })
    const { port } = await server.listen()
    onTestFinished(() => server.close())
    return {
      gate,
      port,
      async connect() {
        const client = new pg.Client({
          host: '127.0.0.1',
          port,
          database,
          user: 'a',
          password: 'token',
        })
        client.on('error', () => undefined)
        await client.connect()
        onTestFinished(() => client.end().catch(() => undefined))
        return client
      },
    }
  }

  test('of a read releases no row before its record is durable', async () => {
    const { gate, port } = await start()
    const record = Promise.withResolvers<void>()
    gate.recorded = () => record.promise
    const client = await WireClient.open(port)
    onTestFinished(() => void client.socket.destroy())
    await client.logIn(database, 'token')
    client.send(query('SELECT word FROM words'))
    // The server has answered: it is idle again.
    const idle =
      "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT word FROM words' AND state = 'idle' AND datname = current_database()"
    while ((await direct.query(idle)).rowCount === 0);
    expect(client.received).toBe(0)
    record.resolve()
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
  })

  test('of a read whose record fails releases nothing at all', async () => {
    const { gate, connect } = await start()
    gate.recorded = () =>
      Promise.reject(new Problem('store-unavailable', 'The audit store is away.'))
    const client = await connect()
    expect(await failureOf(client.query('SELECT word FROM words'))).toMatchObject({
      code: '58000',
      severity: 'FATAL',
    })
  })

  test('is not asked for by a client that has gone while its text was read', async () => {
    const { gate, port } = await start()
    const long = (word: string) =>
      query(
        `INSERT INTO words VALUES ${Array.from({ length: 20_000 }, () => `('${word}')`).join()}`,
      )
    const client = await WireClient.open(port)
    await client.logIn(database, 'token')
    client.send(long('gone'))
    client.socket.destroySoon()
    // One after the other, long texts are read in a thread.
    const other = await WireClient.open(port)
    onTestFinished(() => void other.socket.destroy())
    await other.logIn(database, 'token')
    other.send(long('here'))
    expect(shown(await other.until('Z'))).toEqual(['C INSERT 0 20000', 'Z I'])
    expect(gate.attempts).toHaveLength(1)
    await direct.query("DELETE FROM words WHERE word = 'here'")
  })

  test('that has lapsed since its portal was bound executes nothing', async () => {
    const { gate, port } = await start()
    const client = await WireClient.open(port)
    onTestFinished(() => void client.socket.destroy())
    await client.logIn(database, 'token')
    const insert = "INSERT INTO words VALUES ('late')"
    client.send(query('BEGIN'), parse('', insert), bind('p', ''), sync)
    expect(shown(await client.until('Z'))).toEqual(['C BEGIN', 'Z T'])
    expect(shown(await client.until('Z'))).toEqual(['1', '2', 'Z T'])
    const lost = new Problem('store-unavailable', 'Another replica may have given it up.')
    gate.valid = () => {
      throw lost
    }
    gate.ended = () => lost
    client.send(execute('p'), sync)
    expect(shown(await client.until('Z'))).toEqual(['E 58000', 'Z E'])
    expect(gate.outcomes).toMatchObject([{ result: 'failed', error: 'not-sent' }])
  })

  test.each([
    ['fetches', [query('BEGIN'), query('DECLARE c CURSOR FOR SELECT 1')], query('FETCH c')],
    ['executes', [parse('', 'VALUES (1)'), bind('p', ''), flush], execute('p', 1)],
    ['copies', [query('COPY words FROM STDIN')], message('d', Buffer.from('copied\n'))],
  ])('that counts no more ends what its client %s from it later', async (_, begin, more) => {
    const { gate, port } = await start()
    const client = await WireClient.open(port)
    onTestFinished(() => void client.socket.destroy())
    await client.logIn(database, 'token')
    client.send(...begin)
    gate.ended = () => new Problem('denied', 'The policies in force deny this action.')
    // What it was permitted with is believed for a while.
    const asking = setInterval(() => client.send(more), 20)
    expect(shown(await client.until('E')).at(-1)).toBe('E 42501')
    clearInterval(asking)
    client.socket.destroy()
    const { rows } = await direct.query("SELECT FROM words WHERE word = 'copied'")
    expect(rows).toEqual([])
  })

  test('that has lapsed sends nothing', async () => {
    const { gate, connect } = await start()
    gate.valid = () => false
    const client = await connect()
    expect((await failureOf(client.query("INSERT INTO words VALUES ('late')"))).code).toBe('XX000')
    expect((await direct.query("SELECT 1 FROM words WHERE word = 'late'")).rowCount).toBe(0)
    expect(gate.outcomes).toEqual([{ result: 'failed', error: 'not-sent' }])
  })

  test('is for one text with its values, in one session as it is: anything else is another action', async () => {
    const { gate, connect } = await start()
    gate.verdict = ({ action }) => (action.summary.startsWith('UPDATE') ? 'hold' : 'allow')
    const client = await connect()
    const text = 'UPDATE words SET word = $1 WHERE word = $2'

    async function digest(values: unknown[], sql = text): Promise<string> {
      const held = gate.held()
      const updating = client.query({ text: sql, values })
      await held
      gate.approve()
      await updating
      return gate.sealed.at(-1)!.digest
    }

    const same = await digest(['a', 'b'])
    expect(await digest(['a', 'b'])).toBe(same)
    const others = [
      await digest(['a', 'c']),
      await digest(['a', null]),
      await digest(['ab', '']),
      await digest([Buffer.from('a'), 'b']),
      await digest(['a', 'b'], `${text} `),
    ]
    await client.query("SET TimeZone = 'Asia/Tokyo'")
    others.push(await digest(['a', 'b']))
    await client.query('RESET TimeZone')
    expect(await digest(['a', 'b'])).toBe(same)
    // What policies of tables read; the server lists it nowhere.
    for (const tenant of ['1', '2']) {
      await client.query(`SELECT set_config('app.tenant', '${tenant}', false)`)
      others.push(await digest(['a', 'b']))
      expect(gate.sealed.at(-1)?.payload['settings']).toEqual({ 'app.tenant': tenant })
    }
    expect(new Set([same, ...others]).size).toBe(9)
  })
})
