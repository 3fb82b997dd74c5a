import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CatalogueReader } from '../../../../src/protocols/postgres/sql/read-catalogue.ts'
import { sessionOf } from './support.ts'

let database: PGlite
beforeAll(async () => {
  database = await PGlite.create()
})
afterAll(() => database.close())

/** Every question that is asked. */
const asked: string[] = []

const probe = {
  query: async (sql: string) => {
    asked.push(sql)
    return (await database.query<Record<string, string | null>>(sql)).rows
  },
}

const ofEverything = /AND true/

test('reads everything once, and then what has changed, as a first reading would', async () => {
  const reader = new CatalogueReader(sessionOf(probe))
  await reader.read()
  expect(asked.some((sql) => ofEverything.test(sql))).toBe(true)
  const steps = [
    'CREATE TABLE parents (id int PRIMARY KEY, name text)',
    'CREATE TABLE children (id int REFERENCES parents ON DELETE CASCADE) ',
    'CREATE INDEX by_name ON parents (name); CREATE INDEX ON children (id)',
    'ALTER INDEX by_name RENAME TO titles',
    'DROP INDEX titles; ALTER TABLE children RENAME TO kids; ALTER TABLE kids RENAME TO children',
    'CREATE VIEW names AS SELECT name FROM parents',
    'ALTER TABLE parents RENAME COLUMN name TO title',
    'CREATE TABLE heirs () INHERITS (parents)',
    'CREATE SCHEMA other; ALTER TABLE heirs SET SCHEMA other',
    "CREATE TYPE mood AS ENUM ('glad'); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    'CREATE TABLE features () INHERITS (information_schema.sql_features)',
    'DROP TABLE features; DROP TABLE other.heirs; DROP VIEW names',
    'ALTER TABLE parents ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON parents USING (id > f())',
  ]
  for (const step of steps) {
    await database.exec(`SET search_path TO public; ${step}`)
    asked.length = 0
    const { data } = await reader.read()
    // That one changes a table that comes with the server.
    const wide = step.includes('information_schema')
    expect(
      asked.some((sql) => ofEverything.test(sql)),
      step,
    ).toBe(wide)
    expect((await reader.read()).version, step).toBe(data.version)
    const { data: first } = await new CatalogueReader(sessionOf(probe)).read()
    expect({ ...data, version: 0 }, step).toEqual({ ...first, version: 0 })
  }
})

test('class 20: what somebody does to what comes with the server is seen', async () => {
  const reader = new CatalogueReader(sessionOf(probe))
  const before = await reader.read()
  expect(before.routine('pg_catalog', 'lower')).not.toBe('none')
  await database.exec('ALTER FUNCTION pg_catalog.lower(text) RENAME TO lowered')
  const after = await reader.read()
  expect(after.routine('pg_catalog', 'lowered')).toBe('unproven')
  await database.exec('ALTER FUNCTION pg_catalog.lowered(text) RENAME TO lower')
  expect((await reader.read()).routine('pg_catalog', 'lowered')).toBe('none')

  await database.exec('ALTER TABLE information_schema.sql_parts ADD COLUMN more text')
  const columns = (await reader.read()).relation('information_schema', 'sql_parts')?.columns
  expect(columns).toContain('more')
})
