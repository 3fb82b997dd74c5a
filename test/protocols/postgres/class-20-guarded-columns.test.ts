import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - name: ids-and-names
    on: orders
    what: { sql: { verb: [select, insert, update, delete, set], tables: [people], columns: [people.id, people.name] } }
    then: allow
`

const people = `
  CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL CHECK (name <> 'x'), ssn text DEFAULT 'sesame',
                       UNIQUE (name, ssn));
  CREATE TABLE bills (of text, ssn text DEFAULT 'sesame',
                      FOREIGN KEY (of, ssn) REFERENCES people (name, ssn) DEFERRABLE);
  INSERT INTO people VALUES (1, 'Ada'), (2, 'Bob'); INSERT INTO bills VALUES ('Bob');
`

/** The server shows the row that a constraint refuses, with all its columns. */
describe.runIf(hasPostgres)(
  'class 20: a column that a rule guards, in what the server says of an error',
  () => {
    let db: DatabaseGateway
    beforeAll(async () => {
      db = await startDatabase({ policies })
      await db.direct.query(people)
    })
    afterAll(() => db.close())

    test.each([
      ['UPDATE people SET name = NULL WHERE id = 1', '23502'],
      ["UPDATE people SET name = 'x' WHERE id = 1", '23514'],
      ["UPDATE people SET name = 'Bob' WHERE id = 1", '23505'],
      ['DELETE FROM people WHERE id = 2', '23503'],
      ['INSERT INTO people (id) VALUES (3)', '23502'],
      [
        "INSERT INTO people (id, name) VALUES (1, 'Eve') ON CONFLICT (id) DO UPDATE SET name = NULL",
        '23502',
      ],
      ['BEGIN; SET CONSTRAINTS ALL DEFERRED; DELETE FROM people WHERE id = 2; COMMIT', '23503'],
    ])('%s', async (text, code) => {
      const directly = await failureOf(db.direct.query(text))
      expect(directly).toMatchObject({ code, detail: expect.stringContaining('sesame') })
      await db.direct.query('ROLLBACK')
      const client = await db.connect()
      const said = await failureOf(client.query(text))
      const { message, constraint, table, column } = directly
      expect(said).toMatchObject({ code, message, constraint, table, column })
      expect(said.detail).toBeUndefined()
    })
  },
)
