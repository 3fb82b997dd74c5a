import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import pg from 'pg'
import {
  bind,
  cstring,
  execute,
  int16,
  message,
  parse,
  query,
  readReport,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { shown, WireClient } from './wire-client.ts'

const policies = `rules:
  - name: agents-read-orders
    on: orders
    what: { sql: { verb: [select], tables: [public.orders] } }
    then: allow
  - name: temporary-tables-are-fine
    on: orders
    what: { sql: { verb: [create table, create table as, select], tables: [pg_temp.orders] } }
    then: allow
  - name: paths-may-change
    on: orders
    what: { sql: { verb: [set, set search_path] } }
    then: allow
`

/** Whoever reads SQL differently from the server lets something through. What the server did is the measure: nothing is missing, and nothing was added. */
describe.runIf(hasPostgres)('class 20: SQL read differently from the server', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
    await db.direct.query(`
      CREATE TABLE secrets (word text); INSERT INTO secrets VALUES ('sesame');
      CREATE SCHEMA shadow; CREATE VIEW shadow.orders AS SELECT 1 AS id, word FROM secrets;
      CREATE FUNCTION public.upper(bigint) RETURNS bigint LANGUAGE sql AS 'DELETE FROM public.orders; SELECT 1::bigint';
    `)
  })
  afterAll(() => db.close())

  const untouched = async (): Promise<void> => {
    const { rows } = await db.direct.query('SELECT count(*)::int AS n FROM public.orders')
    expect(rows).toEqual([{ n: 200 }])
  }

  test.each([
    ['a second statement', 'SELECT id FROM orders; DELETE FROM orders'],
    ['a statement behind a comment that does not nest', 'SELECT 1 /* /* */ */; DELETE FROM orders'],
    ['a write in a WITH', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone'],
    ['EXPLAIN ANALYZE', 'EXPLAIN ANALYZE DELETE FROM orders'],
    ['DO', "DO $$ BEGIN EXECUTE 'DEL' || 'ETE FROM orders'; END $$"],
    ['COPY to a program', "COPY orders TO PROGRAM 'cat'"],
    ['COPY of what a write returns', 'COPY (DELETE FROM orders RETURNING *) TO STDOUT'],
    ['a function of ours by the name of a harmless one', 'SELECT upper(1) FROM orders'],
    [
      'a function that runs text',
      "SELECT query_to_xml('DELETE FROM orders', true, true, '') FROM orders",
    ],
    ['SELECT INTO', 'SELECT * INTO others FROM orders'],
    ['a quoted name', 'SELECT * FROM "secrets"'],
    ['a name in Unicode escapes', String.raw`SELECT * FROM U&"\0073ecrets"`],
    ['a table named by a value', "SELECT 'secrets'::regclass, * FROM secrets"],
    ['a string of an older syntax', String.raw`SELECT E'\'; DELETE FROM orders; --' FROM secrets`],
    ['another role', 'SET ROLE postgres'],
    ['another authorization', 'SET SESSION AUTHORIZATION postgres'],
    ['the end of a role', 'RESET ROLE'],
    ['another end of strings', 'SET standard_conforming_strings = off'],
    ['another encoding', "SET client_encoding = 'SJIS'"],
    [
      'a setting that is put together',
      "SELECT set_config('standard' || '_conforming_strings', 'off', false) FROM orders",
    ],
    [
      'a setting through its view',
      "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
    ],
  ])('%s is seen for what it is', async (_, text) => {
    const client = await db.connect()
    const error = await failureOf(client.query(text))
    expect(error.code).toBe('42501')
    await untouched()
    expect((await client.query('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: 200 }])
  })

  test('a name means what it means now, not what it meant when it was prepared', async () => {
    const client = await db.connect()
    const prepared = { name: 'orders', text: 'SELECT id FROM orders WHERE id = 1' }
    expect((await client.query(prepared)).rows).toEqual([{ id: 1 }])
    await client.query('SET search_path = shadow, public')
    expect((await failureOf(client.query(prepared))).code).toBe('42501')
    expect((await failureOf(client.query('SELECT * FROM orders'))).code).toBe('42501')
  })

  test('a change of the path within a text counts for the rest of it', async () => {
    const client = await db.connect()
    for (const change of ['SET search_path = shadow', 'BEGIN; SET LOCAL search_path = shadow'])
      expect((await failureOf(client.query(`${change}; SELECT * FROM orders`))).code).toBe('42501')
  })

  test('a change of the path within a pipeline counts for what follows it, and not for what a failure undoes', async () => {
    const client = await WireClient.open(db.port)
    onTestFinished(() => void client.socket.destroy())
    await client.logIn(db.database, await db.gateway.agentToken())
    const run = (text: string) => [parse('', text), bind('', ''), execute('')]
    client.send(...run('SET search_path = shadow'), ...run('SELECT id FROM orders'), sync)
    expect(shown(await client.until('Z'))).toEqual(['1', '2', 'C SET', '1', 'E 42501', 'Z I'])
    // The failure has undone the SET: `orders` is the table again.
    client.send(query('SELECT id FROM orders WHERE id = 1'))
    expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    client.send(
      query('BEGIN'),
      query('SET LOCAL search_path = shadow'),
      query('ROLLBACK'),
      query('SELECT id FROM orders WHERE id = 1'),
    )
    const all = []
    for (let i = 0; i < 4; i++) all.push(...shown(await client.until('Z')))
    expect(all.slice(-4)).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
  })

  test('a temporary table that takes the name of another is not that one', async () => {
    const client = await db.connect()
    await client
      .query('CREATE TEMPORARY TABLE orders AS SELECT 1 AS mine FROM orders LIMIT 1')
      .catch((error: unknown) => expect(error).toMatchObject({ code: '42501' }))
    const { rows } = await client.query('SELECT count(*)::int AS n FROM orders')
    expect([{ n: 200 }, { n: 1 }]).toContainEqual(rows[0])
    await untouched()
  })

  test('text in another encoding, with a NUL, or not UTF-8 at all is not taken', async () => {
    const asked = await WireClient.open(db.port)
    asked.start({ user: 'agent', database: db.database, client_encoding: 'LATIN1' })
    expect(shown(await asked.until('never'))).toEqual(['E 0A000'])
    const client = await WireClient.open(db.port)
    await client.logIn(db.database, await db.gateway.agentToken())
    client.send(query("SELECT 'a\0b' FROM orders"))
    expect(shown(await client.until('Z'))).toEqual(['E 08P01'])
    expect(await client.next()).toBeNull()
  })

  test('a text that is not UTF-8 is refused as by the server, with what is pipelined behind it, and the session goes on', async () => {
    const client = await WireClient.open(db.port)
    await client.logIn(db.database, await db.gateway.agentToken())
    const text = Buffer.from("SELECT 'é' FROM orders\0", 'latin1')
    client.send(message('Q', text))
    const [error] = await client.until('Z')
    expect(readReport(error!.body).get('M')).toBe(
      'invalid byte sequence for encoding "UTF8": 0xe9 0x27 0x20',
    )
    const another = [parse('', 'SELECT id FROM orders'), bind('', ''), execute('')]
    client.send(message('P', cstring(''), text, int16(0)), ...another, sync)
    expect(shown(await client.until('Z'))).toEqual(['E 22021', 'Z I'])
    client.send(query('BEGIN'))
    expect(shown(await client.until('Z'))).toEqual(['C BEGIN', 'Z T'])
    client.send(message('Q', text))
    expect(shown(await client.until('Z'))).toEqual(['E 22021', 'Z E'])
    client.send(query('ROLLBACK'))
    expect(shown(await client.until('Z'))).toEqual(['C ROLLBACK', 'Z I'])
  })

  test('a session does not begin with settings that would change what it says', async () => {
    for (const options of [
      '-c role=postgres',
      '-c standard_conforming_strings=off',
      '--session-replication-role=replica',
      '-f x',
    ]) {
      const client = new pg.Client({ ...(await db.config()), options })
      expect((await failureOf(client.connect())).code).toBe('42501')
    }
    const harmless = new pg.Client({
      ...(await db.config()),
      options: '-c statement_timeout=5000 -c search_path=shadow',
    })
    harmless.on('error', () => undefined)
    await harmless.connect()
    onTestFinished(() => harmless.end())
    expect((await failureOf(harmless.query('SELECT * FROM orders'))).code).toBe('42501')
  })

  test('what is given by itself at the start wins over "options", as it does with the server', async () => {
    const client = new pg.Client({
      ...(await db.config()),
      application_name: 'itself',
      options: '-c client_encoding=LATIN1 -c application_name=option',
      client_encoding: 'UTF8',
    })
    await client.connect()
    onTestFinished(() => client.end())
    const { rows } = await client.query('SHOW application_name')
    expect(rows).toEqual([{ application_name: 'itself' }])
  })
})
