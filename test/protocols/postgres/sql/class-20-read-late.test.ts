import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { CatalogueReader } from '../../../../src/protocols/postgres/sql/read-catalogue.ts'
import { createTestDatabase } from '../../../support/store.ts'
import { sessionOf } from './support.ts'

/** What is read of the catalogue bit by bit, and at moments that somebody else may choose. */
describe.runIf(inject('postgres') !== null)(
  'class 20: a catalogue that changes while it is read',
  () => {
    let clients: pg.Client[]
    let [reading, writing, waiting]: pg.Client[] = []

    beforeEach(async () => {
      const url = await createTestDatabase()
      clients = [1, 2, 3].map(() => new pg.Client({ connectionString: url }))
      for (const client of clients) await client.connect()
      ;[reading, writing, waiting] = clients
    })
    afterEach(() => Promise.all(clients.map((client) => client.end())))

    /** `open`: what is still to be done, once, in front of the first question that has these words in it. */
    function reader(open = new Map<string, string>()): CatalogueReader {
      return new CatalogueReader(
        sessionOf({
          query: async (sql: string) => {
            for (const [part, ddl] of open) {
              if (!sql.includes(part)) continue
              open.delete(part)
              await writing!.query(ddl)
            }
            return (await reading!.query<Record<string, string | null>>(sql)).rows
          },
        }),
      )
    }

    test('schemas that change places while an older transaction is open', async () => {
      await waiting!.query('BEGIN; SELECT pg_current_xact_id()')
      await writing!.query('CREATE SCHEMA blue; CREATE TABLE blue.orders (id int)')
      await writing!.query('CREATE SCHEMA green; CREATE VIEW green.orders AS SELECT 1 AS id')
      const catalogue = reader()
      expect((await catalogue.read()).relation('blue', 'orders')).toMatchObject({ kind: 'table' })
      await writing!.query(`
      ALTER SCHEMA blue RENAME TO old; ALTER SCHEMA green RENAME TO blue; ALTER SCHEMA old RENAME TO green`)
      expect((await catalogue.read()).relation('blue', 'orders')).toMatchObject({ kind: 'view' })
      await waiting!.query('COMMIT')
      expect((await catalogue.read()).relation('green', 'orders')).toMatchObject({ kind: 'table' })
    })

    test('a right to use a schema, given while an older transaction is open, is seen as a change', async () => {
      await waiting!.query('BEGIN; SELECT pg_current_xact_id()')
      await writing!.query('CREATE SCHEMA blue')
      const catalogue = reader()
      const { version } = await catalogue.read()
      await writing!.query('GRANT USAGE ON SCHEMA blue TO PUBLIC')
      expect((await catalogue.read()).version).not.toBe(version)
    })

    test('what came behind the first question, and is gone before the next', async () => {
      const catalogue = reader(
        new Map([
          [
            'relkind AS kind',
            `CREATE TABLE fleeting (id int); CREATE TYPE passing AS ENUM ('a');
        CREATE FUNCTION passing() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
          ],
        ]),
      )
      const first = await catalogue.read()
      expect(first.relation('public', 'fleeting')).toBeNull()
      expect((await catalogue.read()).type('public', 'passing')).toBe('harmless')
      await writing!.query('DROP TABLE fleeting; DROP TYPE passing; DROP FUNCTION passing()')
      const next = await catalogue.read()
      expect(next.relation('public', 'fleeting')).toBeNull()
      expect(next.type('public', 'passing')).toBe('none')
      expect(next.routine('public', 'passing')).toBe('none')
    })

    test('what went, while something came behind the first question and changed', async () => {
      await writing!.query('CREATE TABLE orders (id int)')
      const catalogue = reader(new Map([['relkind AS kind', 'CREATE TABLE other (id int)']]))
      expect((await catalogue.read()).relation('public', 'orders')).toMatchObject({ kind: 'table' })
      await writing!.query('DROP TABLE orders')
      const next = await catalogue.read()
      expect(next.relation('public', 'orders')).toBeNull()
      expect(next.relation('public', 'other')).toMatchObject({ kind: 'table' })
    })

    test('what is dropped and made again all the time is never missing', async () => {
      const make = `CREATE FUNCTION "json_value"(text, text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'`
      const again = `DROP FUNCTION "json_value"(text, text); ${make}`
      await writing!.query(make)
      const open = new Map<string, string>()
      const catalogue = reader(open)
      await catalogue.read()
      await writing!.query(again)
      // Behind the question that finds the new one, and in front of the one that asks what it is.
      open.set('pg_catalog.pg_proc p', again)
      expect((await catalogue.read()).routine('public', 'json_value')).toBe('unproven')
      expect(open.size).toBe(0)
      expect((await catalogue.read()).routine('public', 'json_value')).toBe('unproven')
    })

    test('a domain that came while the rest was read again, and is gone', async () => {
      const catalogue = reader()
      await catalogue.read()
      await writing!.query('CREATE DOMAIN lasting AS int')
      const again = reader()
      await again.read()
      await writing!.query('ALTER DOMAIN lasting ADD CHECK (VALUE > 0)')
      expect((await catalogue.read()).type('public', 'lasting')).toBe('unproven')
      expect((await again.read()).type('public', 'lasting')).toBe('unproven')
    })
  },
)
