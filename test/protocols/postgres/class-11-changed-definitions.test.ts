import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bind, execute, flush, parse, sync } from '../../../src/protocols/postgres/wire/messages.ts'
import { until } from '../../support/audit.ts'
import { cancel, failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { WireClient } from './wire-client.ts'

const policies = `rules:
  - name: deletes-with-a-lead
    on: orders
    what: { sql: { verb: [delete, insert, call, do, declare] } }
    then: hold
    approval: { from: { group: support-leads }, expires: 5m }
  - { name: all, on: orders, then: allow }
`

/** A statement is approved for what its names stand for, and not for the names. */
describe.runIf(hasPostgres)('class 11: what is put in the place of what was approved', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())
  beforeEach(async () => {
    await db.direct.query(`
      DROP SCHEMA IF EXISTS owner CASCADE; DROP VIEW IF EXISTS cheap CASCADE; DROP TABLE IF EXISTS goods, precious, log, parts CASCADE;
      DROP PROCEDURE IF EXISTS tidy(), tidy(int);
      DROP FUNCTION IF EXISTS note(), inner_step(), lower(varchar), place(int) CASCADE;
      CREATE TABLE goods (id int, price int); INSERT INTO goods VALUES (1, 1), (2, 200);
      CREATE TABLE precious (id int, price int); INSERT INTO precious VALUES (1, 1);
      CREATE TABLE log (id int);
      CREATE VIEW cheap AS SELECT id, price FROM goods WHERE price < 100;
      CREATE FUNCTION inner_step() RETURNS void LANGUAGE sql AS 'INSERT INTO log VALUES (1)';
      CREATE PROCEDURE tidy() LANGUAGE plpgsql AS 'BEGIN PERFORM inner_step(); END';
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
      CREATE TRIGGER noted BEFORE DELETE ON goods FOR EACH ROW EXECUTE FUNCTION note();
    `)
  })

  const purge = "'BEGIN DELETE FROM precious; RETURN OLD; END'"

  test.each([
    [
      'a table that is made anew',
      'DELETE FROM precious',
      'ALTER TABLE precious RENAME TO parts; CREATE TABLE precious AS TABLE goods',
    ],
    [
      'a view that shows more',
      'DELETE FROM cheap',
      'CREATE OR REPLACE VIEW cheap AS SELECT id, price FROM goods',
    ],
    ['a column of what a view reads', 'DELETE FROM cheap', 'ALTER TABLE goods ADD COLUMN more int'],
    [
      'a trigger that was not there',
      'DELETE FROM log',
      'CREATE TRIGGER t AFTER DELETE ON log FOR EACH STATEMENT EXECUTE FUNCTION note()',
    ],
    [
      'what a trigger runs',
      'DELETE FROM goods',
      `CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS ${purge}`,
    ],
    ['a rule', 'DELETE FROM log', 'CREATE RULE r AS ON DELETE TO log DO ALSO DELETE FROM precious'],
    [
      'a policy that lets see more',
      'DELETE FROM log',
      'ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON log USING (true)',
    ],
    ['a default', 'INSERT INTO log DEFAULT VALUES', 'ALTER TABLE log ALTER id SET DEFAULT 7'],
    [
      'a partition',
      'DELETE FROM log',
      'ALTER TABLE precious DROP price; ALTER TABLE precious INHERIT log',
    ],
    [
      'a function',
      'CALL tidy()',
      `CREATE OR REPLACE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM precious'`,
    ],
    [
      'another function, of the same name',
      'CALL tidy()',
      `CREATE PROCEDURE tidy(x int DEFAULT 1) LANGUAGE sql AS 'DELETE FROM precious'`,
    ],
    [
      'what a function calls',
      'CALL tidy()',
      `CREATE OR REPLACE FUNCTION inner_step() RETURNS void LANGUAGE sql AS 'DELETE FROM precious'`,
    ],
    ['the rights of who runs it', 'CALL tidy()', 'ALTER PROCEDURE tidy() SECURITY DEFINER'],
    [
      'a function that fits better',
      "DELETE FROM goods WHERE lower('x'::varchar) = 'x'",
      `CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT ''x'''`,
    ],
    [
      'a table that comes earlier in the path',
      'DELETE FROM log',
      'CREATE SCHEMA owner; CREATE TABLE owner.log AS TABLE precious',
    ],
    [
      'an index with a function of somebody',
      'INSERT INTO log VALUES (1)',
      `CREATE FUNCTION place(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN DELETE FROM precious; RETURN 1; END';
       CREATE INDEX ON log (place(id))`,
    ],
    [
      'what a block may call',
      'DO $$ BEGIN DELETE FROM log; CALL tidy(); END $$',
      `CREATE OR REPLACE FUNCTION inner_step() RETURNS void LANGUAGE sql AS 'DELETE FROM precious'`,
    ],
  ])('%s does not run under the old approval', async (_, text, change) => {
    const client = await db.connect()
    const running = failureOf(client.query(text))
    const approval = await db.gateway.pending()
    await db.direct.query(change)
    const changed = await state(db)
    await db.gateway.vote('dana', approval)
    expect(await running).toMatchObject({
      code: '42501',
      message: 'What it names is not what it was when this was approved.',
    })
    expect(await state(db)).toEqual(changed)
    // The session goes on.
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test.each([
    ['a view', 'cheap', 'DELETE FROM cheap', 'ALTER TABLE goods ALTER price SET DEFAULT 7'],
    [
      'a view of a view',
      'cheap',
      'INSERT INTO log SELECT id FROM cheapest',
      'ALTER TABLE goods ALTER price SET DEFAULT 7',
    ],
    [
      'a policy',
      'precious',
      'DELETE FROM precious',
      `CREATE OR REPLACE FUNCTION inner_step() RETURNS void LANGUAGE sql AS 'INSERT INTO log VALUES (7)'`,
    ],
  ])(
    '%s that somebody else has for themselves hides nothing of what it is about',
    async (_, locked, text, change) => {
      await db.direct.query(`
      CREATE VIEW cheapest AS SELECT id FROM cheap WHERE price = 0;
      ALTER TABLE precious ENABLE ROW LEVEL SECURITY;
      CREATE POLICY stepwise ON precious USING (inner_step() IS NOT NULL)`)
      for (const until of ['it is read', 'somebody is asked']) {
        const client = await db.connect()
        await db.direct.query(`BEGIN; LOCK TABLE ${locked} IN ACCESS EXCLUSIVE MODE`)
        // For a name that it does not know, the gateway reads the catalogue anew.
        await failureOf(client.query('SELECT FROM nowhere'))
        if (until === 'it is read') await db.direct.query('ROLLBACK')
        const running = failureOf(client.query(text))
        const approval = await db.gateway.pending()
        if (until === 'somebody is asked') await db.direct.query('ROLLBACK')
        await db.direct.query(change)
        const changed = await state(db)
        await db.gateway.vote('dana', approval)
        expect(await running).toMatchObject({
          code: '42501',
          message: 'What it names is not what it was when this was approved.',
        })
        expect(await state(db)).toEqual(changed)
      }
    },
  )

  /** Holds a DELETE on the view, has `change` under way in another session, and approves: it waits. */
  async function approvedBehind(change: string) {
    const client = await db.connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const running = client.query('DELETE FROM cheap').then(
      ({ rowCount }) => ({ rowCount }),
      ({ code, message }: pg.DatabaseError) => ({ code, message }),
    )
    const approval = await db.gateway.pending()
    await db.direct.query(`BEGIN; ${change}`)
    const { rows: times } = await db.direct.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    await db.gateway.vote('dana', approval)
    const looking = await db.connect()
    // In the gateway, which looks again and again, and not in the server's queue.
    const looked = `SELECT FROM pg_stat_activity WHERE pid = ${rows[0]!.pid}
      AND (wait_event_type = 'Lock' OR (state = 'idle' AND query_start > $1))`
    await until(async () => (await looking.query(looked, [times[0]!.now])).rowCount === 1)
    return { client, running }
  }

  test.each([
    [
      'COMMIT',
      { code: '42501', message: 'What it names is not what it was when this was approved.' },
      '2',
    ],
    ['ROLLBACK', { rowCount: 1 }, '1'],
  ])(
    'what waits behind a change, until its %s, does not run against that',
    async (end, outcome, left) => {
      const { running } = await approvedBehind(
        'CREATE OR REPLACE VIEW cheap AS SELECT id, price FROM goods',
      )
      await db.direct.query(end)
      expect(await running).toEqual(outcome)
      expect(await state(db)).toMatchObject({ goods: left })
    },
  )

  test('who waits for the session itself is not waited for', async () => {
    const client = await db.connect()
    await client.query('BEGIN; SELECT FROM goods')
    const altering = db.direct.query('ALTER TABLE goods ADD COLUMN more int')
    const waits = "SELECT FROM pg_locks WHERE relation = 'goods'::regclass AND NOT granted"
    const looking = await db.connect()
    await until(async () => (await looking.query(waits)).rowCount === 1)
    const deleting = client.query('DELETE FROM goods')
    await db.gateway.vote('dana', await db.gateway.pending())
    expect((await deleting).rowCount).toBe(2)
    await client.query('ROLLBACK')
    await altering
  })

  test('a change that does not end is not waited for without end', async () => {
    const { client, running } = await approvedBehind('LOCK TABLE goods')
    expect(await running).toEqual({
      code: '42501',
      message: 'Somebody else is changing what it names, and has not finished.',
    })
    await db.direct.query('ROLLBACK')
    expect(await state(db)).toMatchObject({ goods: '2' })
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('what waits behind a change can be taken back', async () => {
    const { client, running } = await approvedBehind('LOCK TABLE goods')
    await cancel(client)
    expect(await running).toMatchObject({ code: '57014' })
    await db.direct.query('ROLLBACK')
    expect(await state(db)).toMatchObject({ goods: '2' })
  })

  test('a cursor gives no rows of other settings than those that it was approved with', async () => {
    await db.direct.query(
      "CREATE VIEW mine AS SELECT id FROM goods WHERE price::text = current_setting('app.price') OR id = 2",
    )
    const client = await db.connect()
    await client.query("BEGIN; SET app.price = '200'")
    const declared = client.query('DECLARE c CURSOR FOR SELECT id FROM mine')
    await db.gateway.vote('dana', await db.gateway.pending())
    await declared
    await client.query("SET app.price = '1'; SET app.price = '200'")
    expect((await client.query('FETCH 0 FROM c')).rows).toEqual([])
    await client.query("SET app.price = '1'")
    expect(await failureOf(client.query('FETCH ALL FROM c'))).toMatchObject({
      code: '42501',
      message: 'What it names is not what it was when this was approved.',
    })
    await client.query('ROLLBACK')
    await db.direct.query('DROP VIEW mine')
  })

  test('an approval that comes when nobody waits is none for what is there then', async () => {
    const text = 'DELETE FROM precious'
    const waiting = await db.connect()
    const given = failureOf(waiting.query(text))
    const approval = await db.gateway.pending()
    await waiting.end()
    await given
    await db.gateway.vote('dana', approval)
    await db.direct.query('DROP TABLE precious; CREATE TABLE precious AS TABLE goods')
    const deleting = (await db.connect()).query(text)
    const another = await db.gateway.pending()
    expect(another.id).not.toBe(approval.id)
    await db.gateway.vote('dana', another)
    expect((await deleting).rowCount).toBe(2)
  })

  test.each(['REPEATABLE READ', 'SERIALIZABLE'])(
    'a transaction that is %s does not see what others put there, and runs it all the same',
    async (level) => {
      const client = await db.connect()
      await client.query(`BEGIN ISOLATION LEVEL ${level}`)
      // From here on it looks at rows as they are now; the server goes by the definitions as they will be then.
      await client.query('SELECT count(*) FROM log')
      const running = failureOf(client.query('CALL tidy()'))
      const approval = await db.gateway.pending()
      await db.direct.query(
        `CREATE OR REPLACE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM precious'`,
      )
      await db.gateway.vote('dana', approval)
      expect(await running).toMatchObject({
        code: '42501',
        message: 'What it names is not what it was when this was approved.',
      })
      await client.query('COMMIT')
      expect(await state(db)).toMatchObject({ precious: '1' })
    },
  )

  test('what was approved when it was bound is looked at again when it is executed, and never runs once it was refused', async () => {
    const body = (sql: string) => `CREATE OR REPLACE PROCEDURE tidy() LANGUAGE sql AS '${sql}'`
    await db.direct.query(body('INSERT INTO log VALUES (1)'))
    const client = await WireClient.open(db.port)
    await client.logIn(db.database, await db.gateway.agentToken())
    client.send(parse('', 'CALL tidy()'), bind('p', ''), flush)
    await db.gateway.vote('dana', await db.gateway.pending())
    // BindComplete: it is approved, and waits for the client.
    await client.until('2')
    await db.direct.query(body('DELETE FROM precious'))
    client.send(execute('p'), sync)
    const refused = await client.until('Z')
    expect(refused.map(({ body }) => body.toString()).join('')).toContain('What it names is not')

    client.send(parse('', 'CALL tidy()'), bind('p', ''), flush)
    await db.gateway.vote('dana', await db.gateway.pending())
    await client.until('2')
    await db.direct.query(body('INSERT INTO log VALUES (2)'))
    client.send(execute('p'), flush)
    await client.until('E')
    // As it was when it was approved: too late for what is on record as not sent.
    await db.direct.query(body('DELETE FROM precious'))
    client.send(sync)
    await client.until('Z')
    client.send(execute('p'), sync)
    expect((await client.until('Z')).map(({ type }) => type)).toContain('E')
    expect(await state(db)).toMatchObject({ precious: '1', log: '0' })

    client.send(parse('', 'CALL tidy()'), bind('p', ''), flush)
    await db.gateway.vote('dana', await db.gateway.pending())
    await client.until('2')
    client.send(execute('p'), sync)
    expect((await client.until('Z')).map(({ type }) => type)).toContain('C')
    expect(await state(db)).toMatchObject({ precious: '0' })
    client.socket.destroy()
  })

  test('what others do to other things, or to rows, changes no approval; nor does what its own transaction did before', async () => {
    const client = await db.connect()
    await client.query('BEGIN')
    await client.query('CREATE TABLE of_mine (id int)')
    const deleting = client.query('DELETE FROM precious')
    const approval = await db.gateway.pending()
    await db.direct.query('CREATE TABLE parts (id int)')
    await db.direct.query('ALTER PROCEDURE tidy() SECURITY DEFINER')
    await db.direct.query('INSERT INTO precious VALUES (3, 3)')
    await db.direct.query('ANALYZE precious')
    await db.gateway.vote('dana', approval)
    expect((await deleting).rowCount).toBe(2)
    await client.query('ROLLBACK')
  })
})

/** Rows of each table. */
async function state({ direct }: DatabaseGateway): Promise<Record<string, string>> {
  const { rows } = await direct.query<Record<string, string>>(
    'SELECT (SELECT count(*) FROM goods) AS goods, (SELECT count(*) FROM precious) AS precious, (SELECT count(*) FROM log) AS log',
  )
  return rows[0]!
}
