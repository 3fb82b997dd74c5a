import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  bind,
  close,
  execute,
  parse,
  query,
  sync,
} from '../../../src/protocols/postgres/wire/messages.ts'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { openWire, shown, type Received } from './wire-client.ts'

const policies = `rules:
  - name: nearly-everything
    on: orders
    then: allow
  - name: not-the-secrets
    on: orders
    what: { sql: { tables: [secrets, 'vault.*'] } }
    then: deny
`

/**
 * Where everything is allowed but one table, a text has to be judged by what it means when it runs. Whatever comes before it in the session, the pipeline or the
 * text itself, no row of that table comes back.
 */
describe.runIf(hasPostgres)(
  'class 20: a meaning that changes between the judgement and the run',
  () => {
    let db: DatabaseGateway
    beforeAll(async () => {
      db = await startDatabase({ policies })
    })
    afterAll(() => db.close())
    beforeEach(async () => {
      await db.direct.query(`
      DROP SCHEMA IF EXISTS open, vault CASCADE; DROP TABLE IF EXISTS secrets, tags, orders, old;
      DROP FUNCTION IF EXISTS public.lower(int), tell(text), "json_value"(text, text);
      CREATE TABLE orders (id int, total numeric); INSERT INTO orders VALUES (1, 1);
      CREATE TABLE secrets (word text, "system_user" text); INSERT INTO secrets VALUES ('sesame', 'sesame');
      CREATE SCHEMA vault; CREATE TABLE vault.orders (id int, word text); INSERT INTO vault.orders VALUES (1, 'sesame');
      CREATE VIEW vault.customers AS SELECT 1 AS id, word AS name FROM public.secrets;
      CREATE TABLE tags (id int, words text[]);
      CREATE FUNCTION tell(text) RETURNS int LANGUAGE sql AS 'SELECT length(word) FROM public.secrets';
      CREATE FUNCTION "json_value"(text, text) RETURNS text LANGUAGE sql AS 'SELECT word FROM public.secrets';
      ALTER TABLE public.secrets ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON public.secrets USING (true);
    `)
    })

    const open = () => openWire(db)

    /** Everything that comes back for these messages, as one text. */
    async function said(messages: readonly Buffer[], readies: number): Promise<string> {
      const client = await open()
      client.send(...messages)
      const all: Received[] = []
      for (let i = 0; i < readies; i++) all.push(...(await client.until('Z')))
      return everything(all)
    }

    const everything = (received: readonly Received[]): string =>
      received.map(({ type, body }) => `${type} ${body.toString('latin1')}`).join('\n')

    const run = (text: string, portal = ''): Buffer[] => [
      parse('', text),
      bind(portal, ''),
      execute(portal),
    ]

    test.each([
      ['a path that the text itself changes', 'SET search_path = vault; SELECT * FROM orders'],
      [
        'a path that the text changes by a call',
        "SELECT set_config('search_path', 'vault', false); SELECT * FROM orders",
      ],
      [
        'a path of the transaction',
        'BEGIN; SET LOCAL search_path = vault; SELECT * FROM customers; COMMIT',
      ],
      [
        'a function that the text creates',
        "CREATE FUNCTION public.lower(int) RETURNS text LANGUAGE sql AS 'SELECT word FROM public.secrets'; SELECT lower(1)",
      ],
      [
        'a table that takes the place of another',
        'ALTER TABLE public.orders RENAME TO old; ALTER TABLE vault.orders SET SCHEMA public; SELECT * FROM orders',
      ],
      ['a schema by another name', 'ALTER SCHEMA vault RENAME TO open; SELECT * FROM open.orders'],
      ['the guard of a table', 'DROP POLICY own ON secrets'],
      ['rights on all tables', 'GRANT SELECT ON ALL TABLES IN SCHEMA vault TO PUBLIC'],
      ['a subscript of what is inserted', "INSERT INTO tags (words[tell('')]) VALUES ('x')"],
      ['a function by the name of a newer syntax', "SELECT json_value('1', '2')"],
    ])('%s', async (_, text) => {
      const answer = await said([query(text)], 1)
      expect(answer).not.toContain('sesame')
      expect(answer).toContain('42501')
    })

    test('a path that changes between PREPARE and EXECUTE', async () => {
      const messages = [
        query('PREPARE mine AS SELECT * FROM orders WHERE id = 1'),
        query('SET search_path = vault'),
        query('EXECUTE mine'),
      ]
      expect(await said(messages, 3)).not.toContain('sesame')
    })

    test('a statement that SQL has prepared, and the protocol binds', async () => {
      const messages = [
        query('PREPARE mine AS SELECT * FROM secrets'),
        bind('', 'mine'),
        execute(''),
        sync,
      ]
      expect(await said(messages, 2)).not.toContain('sesame')
    })

    test('a name that a pipeline gives away before EXECUTE', async () => {
      const messages = [
        query('PREPARE mine AS SELECT * FROM orders WHERE id = 1'),
        close('S', 'mine'),
        parse('mine', 'SELECT * FROM secrets'),
        ...run('EXECUTE mine'),
        sync,
      ]
      expect(await said(messages, 2)).not.toContain('sesame')
    })

    test('a name that statements of SQL give away in the pipeline that binds it', async () => {
      const client = await open()
      client.send(
        parse('mine', 'SELECT * FROM orders WHERE id = 1'),
        parse('forget', 'DEALLOCATE mine'),
        parse('prepare', 'PREPARE mine AS SELECT * FROM secrets'),
        bind('', 'mine'),
        execute(''),
        sync,
      )
      // All that is sent below has been seen before, and nothing is waited for.
      expect(shown(await client.until('Z'))).toContain('C SELECT 1')
      const again = (name: string) => [bind('', name), execute('')]
      client.send(...again('forget'), ...again('prepare'), ...again('mine'), sync)
      const answer = everything(await client.until('Z'))
      expect(answer).toContain('C PREPARE')
      expect(answer).toContain('C42501')
      expect(answer).not.toContain('sesame')
    })

    test('two names that are one to the server, which keeps 63 bytes of each', async () => {
      const name = 'n'.repeat(63)
      const messages = [
        parse(`${name}1`, 'SELECT * FROM orders WHERE id = 1'),
        close('S', `${name}2`),
        parse(`${name}2`, 'SELECT * FROM secrets'),
        bind('', `${name}1`),
        execute(''),
        sync,
      ]
      const answer = await said(messages, 1)
      expect(answer).toContain('C42501')
      expect(answer).not.toContain('sesame')
      // The 63rd byte is the first of two.
      const client = await open()
      client.send(parse(`${'n'.repeat(62)}é`, 'SELECT 1'), sync)
      expect(shown(await client.until('never'))).toEqual(['E 08P01'])
    })

    test('a name that is given away between the Bind and the Execute of a portal', async () => {
      const messages = [
        query('BEGIN'),
        query('PREPARE mine AS SELECT * FROM orders WHERE id = 1'),
        parse('', 'EXECUTE mine'),
        bind('later', ''),
        ...run('DEALLOCATE mine'),
        ...run('PREPARE mine AS SELECT * FROM secrets'),
        execute('later'),
        sync,
      ]
      const answer = await said(messages, 3)
      expect(answer).not.toContain('sesame')
      expect(answer).toContain('C55000')
    })

    test('a path that changes between the Bind and the Execute of a portal', async () => {
      const messages = [
        parse('', 'COPY orders TO STDOUT'),
        bind('later', ''),
        ...run('SET search_path = vault'),
        execute('later'),
        sync,
      ]
      const answer = await said(messages, 1)
      expect(answer).not.toContain('sesame')
      expect(answer).toContain('C55000')
    })

    test('the end of strings, in a pipeline', async () => {
      const change = 'SET standard_conforming_strings = off'
      // To the gateway it is one string; to a server with another setting, it ends after the second quote.
      const hidden = String.raw`SELECT '\'' UNION SELECT word FROM secrets --'`
      for (const answer of [
        await said([query(change), query(hidden)], 2),
        await said([...run(change), ...run(hidden), sync], 1),
      ]) {
        expect(answer).toContain('C0A000')
        expect(answer).not.toContain('sesame')
      }
    })

    test('a temporary type by the name of one of the system', async () => {
      const client = await db.connect()
      await client.query("CREATE DOMAIN pg_temp.date AS text CHECK (VALUE <> 'x')")
      const cast = client.query("SELECT '2024-01-01'::date")
      expect(await failureOf(cast)).toMatchObject({ code: '42501' })
    })

    test('the end of a transaction that has changed the path', async () => {
      const client = await db.connect()
      await client.query('SET search_path = vault')
      await client.query('BEGIN')
      await client.query('SET LOCAL search_path = public')
      const text = 'COMMIT; SELECT word FROM orders'
      expect(await failureOf(client.query(text))).toMatchObject({ code: '42501' })
    })

    test('what a transaction has renamed, and nobody else can see yet', async () => {
      const client = await db.connect()
      await client.query('BEGIN')
      await client.query('ALTER TABLE orders RENAME TO old')
      expect(await failureOf(client.query('SELECT * FROM orders'))).toMatchObject({ code: '42501' })
      await client.query('ROLLBACK')
      expect((await client.query('SELECT id FROM orders')).rows).toEqual([{ id: 1 }])
    })

    test('a schema that another session makes, earlier in the path', async () => {
      const client = await db.connect()
      await client.query('SET search_path = open, public')
      expect((await client.query('SELECT * FROM orders')).rows).toEqual([{ id: 1, total: '1' }])
      await db.direct.query('CREATE SCHEMA open')
      await db.direct.query('CREATE VIEW open.orders AS SELECT * FROM vault.orders')
      // News of it, for a gateway that would look by itself only after a while.
      await (await db.connect()).query('CREATE SCHEMA any_other; DROP SCHEMA any_other')
      const stolen = await failureOf(client.query('SELECT * FROM orders'))
      expect(stolen).toMatchObject({ code: '42501' })
    })

    test.each([
      ['Parse', parse('mine', 'SELECT * FROM secrets'), [bind('', 'mine'), execute('')]],
      ['PREPARE', query('PREPARE mine AS SELECT * FROM secrets'), [query('EXECUTE mine')]],
    ])(
      'a table that comes in front of the one that %s has found, and which the server goes on with',
      async (_, prepared, executed) => {
        await db.direct.query('CREATE SCHEMA open')
        const answer = await said(
          [
            ...[query('SET search_path = open, public'), prepared, sync],
            ...[query('CREATE TABLE open.secrets (word text)'), ...executed, sync],
          ],
          executed.length === 1 ? 6 : 4,
        )
        expect(answer).toContain('CREATE TABLE')
        expect(answer).toContain('42501')
        expect(answer).not.toContain('sesame')
      },
    )

    test('a table that goes while a statement waits for it, so that the server looks for the name again', async () => {
      await db.direct.query('CREATE SCHEMA open; CREATE TABLE open.secrets (word text)')
      const [one, other] = [await db.connect(), await db.connect()]
      await other.query('SET search_path = open, public')
      await one.query('BEGIN; DROP TABLE open.secrets')
      const waiting = failureOf(other.query('SELECT * FROM secrets'))
      await one.query('COMMIT')
      expect(await waiting).toMatchObject({ code: '42501' })
    })

    const moved = "SELECT set_config('search_path', 'vault', false) FROM generate_series(1, 2)"
    test.each([
      ['a cursor, by SQL', [query(`DECLARE c CURSOR FOR ${moved}`), query('FETCH 1 FROM c')]],
      [
        'a cursor, by the protocol',
        [query(`DECLARE c CURSOR FOR ${moved}`), Buffer.concat([execute('c'), sync])],
      ],
    ])('a path that changes when somebody reads %s', async (_, messages) => {
      const client = await open()
      const answers: string[] = []
      for (const one of [query('BEGIN'), ...messages, query('SELECT * FROM orders')]) {
        client.send(one)
        answers.push(everything(await client.until('Z')))
      }
      expect(answers.at(-2)).toContain('vault')
      expect(answers.at(-1)).toContain('42501')
    })

    test('EXECUTE of what Parse has named is what that text says', async () => {
      const executed = (text: string) => said([parse('mine', text), query('EXECUTE mine')], 1)
      expect(await executed('SELECT id FROM orders')).toContain('SELECT 1')
      expect(await executed('SELECT word FROM secrets')).toContain('42501')
    })

    test('a prepared statement that may run does so, whoever binds it', async () => {
      const client = await open()
      client.send(query('PREPARE "my ""own" AS SELECT id FROM orders'))
      await client.until('Z')
      client.send(bind('', 'my "own'), execute(''), sync, query('EXECUTE "my ""own"'))
      expect(shown(await client.until('Z'))).toEqual(['2', 'D', 'C SELECT 1', 'Z I'])
      expect(shown(await client.until('Z'))).toEqual(['T', 'D', 'C SELECT 1', 'Z I'])
    })

    test('a view over a table that somebody is changing, while all else goes on', async () => {
      await db.direct.query('CREATE VIEW hints AS SELECT word FROM secrets')
      await db.direct.query('BEGIN; ALTER TABLE secrets ADD COLUMN hint text')
      const client = await db.connect()
      const held = await failureOf(client.query('SELECT * FROM hints'))
      expect(held).toMatchObject({ code: '42501' })
      expect((await client.query('SELECT id FROM orders')).rows).toEqual([{ id: 1 }])
      await db.direct.query('ROLLBACK; DROP VIEW hints')
    })

    test('what somebody else puts in the place of a view is seen, in a session that goes on', async () => {
      await db.direct.query('CREATE VIEW words AS SELECT total::text AS word FROM orders')
      const agent = await db.connect()
      const read = () =>
        agent.query('SELECT word FROM words').then(
          () => 'allowed',
          ({ code }: { code: string }) => code,
        )
      try {
        expect(await read()).toBe('allowed')
        await db.direct.query('CREATE OR REPLACE VIEW words AS SELECT word FROM secrets')
        await expect.poll(read, { timeout: 60_000 }).toBe('42501')
        await db.direct.query(
          'CREATE OR REPLACE VIEW words AS SELECT total::text AS word FROM orders',
        )
        await expect.poll(read, { timeout: 60_000 }).toBe('allowed')
      } finally {
        await db.direct.query('DROP VIEW words')
      }
    })
  },
)
