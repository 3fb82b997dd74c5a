import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bind, execute, parse, query, sync } from '../../../src/protocols/postgres/wire/messages.ts'
import { hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'
import { openWire, shown } from './wire-client.ts'

const policies = `rules:
  - name: agents-work
    who: { group: agents }
    on: orders
    then: allow
  - name: a-lead-looks-at-vacuum
    who: { group: agents }
    on: orders
    what: { sql: { verb: vacuum } }
    then: hold
    approval: { from: { group: support-leads }, expires: 5m }
`

describe.runIf(hasPostgres)(
  'a statement that has to be the first of its transaction, in a pipeline of its own',
  () => {
    let db: DatabaseGateway
    beforeAll(async () => {
      db = await startDatabase({ policies })
    })
    afterAll(() => db.close())

    const alone = (text: string): Buffer[] => [parse('', text), bind('', ''), execute(''), sync]

    test('is so behind DDL, after which the gateway asks what names mean', async () => {
      const client = await openWire(db)
      client.send(query('ALTER TABLE orders ADD note text'))
      await client.until('Z')
      client.send(...alone('CREATE INDEX CONCURRENTLY by_note ON orders (note)'))
      expect(shown(await client.until('Z'))).toEqual(['1', '2', 'C CREATE INDEX', 'Z I'])
      client.send(...alone('REINDEX TABLE CONCURRENTLY orders'))
      expect(shown(await client.until('Z'))).toEqual(['1', '2', 'C REINDEX', 'Z I'])
    })

    test('is so when it was held, as a Query', async () => {
      const client = await openWire(db)
      client.send(query('VACUUM orders'))
      await db.gateway.vote('dana', await db.gateway.pending())
      expect(shown(await client.until('Z'))).toEqual(['N', 'C VACUUM', 'Z I'])
    })

    test('is not, behind another that has run: as without a gateway, nothing of it is committed', async () => {
      const client = await openWire(db)
      client.send(
        ...alone("INSERT INTO orders VALUES (700, 1, 1, 'x')").slice(0, -1),
        ...alone('REINDEX TABLE CONCURRENTLY orders'),
      )
      expect(shown(await client.until('Z')).slice(-2)).toEqual(['E 25001', 'Z I'])
      expect((await db.direct.query('SELECT FROM orders WHERE id = 700')).rowCount).toBe(0)
    })

    test('nor does a question commit what has run in front of it', async () => {
      const client = await openWire(db)
      client.send(
        ...alone("INSERT INTO orders VALUES (701, 1, 1, 'x')").slice(0, -1),
        ...alone('ALTER TABLE orders ADD more text').slice(0, -1),
        ...alone('SELECT 1/0 FROM orders'),
      )
      expect(shown(await client.until('Z')).slice(-2)).toEqual(['E 22012', 'Z I'])
      expect((await db.direct.query('SELECT FROM orders WHERE id = 701')).rowCount).toBe(0)
    })
  },
)
