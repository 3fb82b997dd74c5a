import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { MistakesError } from '../../src/core/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
mkdirSync(join(folder, 'policies'))
afterAll(() => rmSync(folder, { recursive: true }))

function complaints(datasets: string): string[] {
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: 'https://crm.example.com' }
  - { name: db, protocol: postgres, listen: 127.0.0.1:0, trusted: true, upstream: { host: db, databases: [a] }, credential: { user: u, password: p } }
datasets:
${datasets}
`,
  )
  try {
    loadConfig(file, {})
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.mistakes.map(({ line, message, remedy }) => `${line} ${message} → ${remedy}`)
  }
  return []
}

test('a data set is in tables and behind routes', () => {
  expect(
    complaints(`  - name: customers
    classes: [pii]
    tables: [{ on: db, table: public.customers, columns: [email] }, { on: db, table: crm.* }]
    routes: [{ on: crm, route: 'GET /v1/customers/**' }, { on: crm, route: '* /v1/exports' }]`),
  ).toEqual([])
})

test.each([
  [
    "{ name: a, routes: [{ on: cmr, route: 'GET /a' }] }",
    '5 There is no resource "cmr". → Did you mean "crm"?',
  ],
  [
    "{ name: a, routes: [{ on: db, route: 'GET /a' }] }",
    '5 db is a resource of the protocol postgres, which has no routes.',
  ],
  [
    '{ name: a, tables: [{ on: crm, table: public.a }] }',
    '5 crm is a resource of the protocol http, which has no tables.',
  ],
  ["{ name: a, routes: [{ on: crm, route: 'GET /a/../b' }] }", '5 This route can never match.'],
  ['{ name: a, classes: [pii] }', '5 The data set a is nowhere. → Name its tables or its routes.'],
  [
    '{ name: a, tables: [{ on: db, table: customers }] }',
    'Write schema and table, as in public.customers.',
  ],
  [
    '{ name: A b, tables: [{ on: db, table: public.a }] }',
    'Use lower-case letters, digits and dashes.',
  ],
])('%s', (dataset, said) => {
  expect(complaints(`  - ${dataset}`).join('\n')).toContain(said)
})

test('names are given once', () => {
  const one = '  - { name: a, tables: [{ on: db, table: public.a }] }\n'
  expect(complaints(one + one)).toEqual([
    expect.stringContaining('6 Another data set is called a.'),
  ])
})
