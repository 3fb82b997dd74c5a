import { describe, expect, test } from 'vitest'
import { Unknown } from '../../../src/core/action.ts'
import { compile, outcome } from '../support.ts'

const policies = compile(`
rules:
  - name: read-orders
    on: orders-db
    what: { sql: { verb: select, tables: [orders, order_*], functions: [count, sum] } }
    then: allow
  - name: secrets
    on: orders-db
    what: { sql: { columns: [ssn, '*_token'] } }
    then: deny
`)

const statement = {
  verb: ['select'],
  tables: ['orders'],
  columns: ['id'],
  functions: [],
}

describe('an allow rule has to cover everything that the statement touches', () => {
  test('and then lets it through', () => {
    expect(outcome(policies, { sql: statement })).toBe('allow by read-orders')
    const sql = { ...statement, tables: ['orders', 'order_items'], functions: ['count'] }
    expect(outcome(policies, { sql })).toBe('allow by read-orders')
  })

  test.each([
    ['a second verb', { verb: ['select', 'delete'] }],
    ['a second table', { tables: ['orders', 'customers'] }],
    ['a function', { functions: ['pg_read_file'] }],
    ['another case, which may be another table', { tables: ['Orders'] }],
    ['tables that are not known', { tables: new Unknown('it could not be parsed') }],
  ])('%s is too much', (_, more) => {
    expect(outcome(policies, { sql: { ...statement, ...more } })).toBe('deny by no-rule-matched')
  })

  test('what touches nothing of a kind is covered', () => {
    expect(outcome(policies, { sql: { ...statement, tables: [] } })).toBe('allow by read-orders')
  })
})

describe('a deny rule is set off by anything', () => {
  test.each([
    ['one column of several', { columns: ['id', 'ssn'] }],
    ['a column by its pattern', { columns: ['reset_token'] }],
    ['another case', { columns: ['SSN'] }],
    ['columns that are not known', { columns: new Unknown('it could not be parsed') }],
    ['columns of a strange kind', { columns: [1] }],
  ])('%s', (_, more) => {
    expect(outcome(policies, { sql: { ...statement, ...more } })).toBe('deny by secrets')
  })

  test('and by nothing else: no columns are no such column', () => {
    expect(outcome(policies, { sql: { ...statement, columns: [] } })).toBe('allow by read-orders')
  })
})

describe('names are written as short as they are clear', () => {
  const named = compile(`
rules:
  - name: read
    on: orders-db
    what: { sql: { verb: select, tables: [orders, 'crm.*'], columns: [id, customers.email], functions: [stamp] } }
    then: allow
  - name: nobody-alters
    on: orders-db
    what: { sql: { verb: alter } }
    then: deny
  - name: nobody-touches-salaries
    on: orders-db
    what: { sql: { tables: salaries } }
    then: deny
`)
  const seen = {
    verb: ['select'],
    tables: ['public.orders'],
    reached: ['public.orders'],
    columns: ['public.orders.id'],
    functions: ['pg_catalog.lower', 'public.stamp'],
    unproven: ['public.stamp'],
  }

  test.each([
    ['a table in the schema public', {}],
    ['a table in another schema, by its pattern', { tables: ['crm.people'] }],
    ['a column of any table', { columns: ['audit.log.id'] }],
    ['a column of one table', { columns: ['public.customers.email'] }],
    ['a name with a dot in it', { tables: ['crm."a.b"'] }],
    ['harmless functions, which need no name', { unproven: [], functions: ['pg_catalog.count'] }],
  ])('%s', (_, more) => {
    expect(outcome(named, { sql: { ...seen, ...more } })).toBe('allow by read')
  })

  test.each([
    ['the same table of another schema', { tables: ['archive.orders'] }],
    ['the same column of another table', { columns: ['public.people.email'] }],
    ['the same column of a table in another schema', { columns: ['crm.customers.email'] }],
    ['a function that nobody named', { unproven: ['public.stamp', 'pg_catalog.pg_read_file'] }],
    ['the same function in another schema', { unproven: ['crm.stamp'] }],
    ['functions that are not known', { unproven: new Unknown('no catalogue') }],
  ])('%s is not meant', (_, more) => {
    expect(outcome(named, { sql: { ...seen, ...more } })).toBe('deny by no-rule-matched')
  })

  test('a deny rule on verbs is set off by code that nobody has read; a hold rule lets nobody approve it by that', () => {
    const all = (then: string) =>
      compile(`
rules:
  - { name: all, on: orders-db, then: allow }
  - { name: no-drop, on: orders-db, what: { sql: { verb: drop } }, ${then} }
`)
    const holds = all('then: hold, approval: { from: { group: leads } }')
    for (const verb of ['do', 'copy program', 'other']) {
      const code = { sql: { ...seen, verb: [verb], functions: [], unproven: [] } }
      expect(outcome(all('then: deny'), code)).toBe('deny by no-drop')
      expect(outcome(holds, code)).toBe('allow by all')
    }
    expect(outcome(all('then: deny'), { sql: { ...seen, unproven: [] } })).toBe('allow by all')
  })

  test('a deny rule finds what a statement reaches without naming it, and verbs by their first word', () => {
    const reached = ['public.orders', 'public.salaries']
    expect(outcome(named, { sql: { ...seen, reached } })).toBe('deny by nobody-touches-salaries')
    const verb = ['alter role']
    expect(outcome(named, { sql: { ...seen, verb } })).toBe('deny by nobody-alters')
    const anything = new Unknown('an unknown function is called')
    expect(outcome(named, { sql: { ...seen, reached: anything } })).toBe(
      'deny by nobody-touches-salaries',
    )
  })

  test('an allow rule without functions allows no function that may do anything', () => {
    const all = compile(`
rules:
  - { name: read, on: orders-db, what: { sql: { verb: select } }, then: allow }
  - { name: any, on: orders-db, what: { sql: { verb: call, functions: '*' } }, then: allow }
`)
    expect(outcome(all, { sql: { ...seen, unproven: [] } })).toBe('allow by read')
    expect(outcome(all, { sql: seen })).toBe('deny by no-rule-matched')
    expect(outcome(all, { sql: { ...seen, verb: ['call'] } })).toBe('allow by any')
  })
})

test('conditions compare counts, and a limit that is not there', () => {
  const small = compile(`
rules:
  - name: small
    on: orders-db
    what: { sql: { verb: select } }
    when: 'action.sql.statements == 1 && action.sql.limit != null && action.sql.limit <= 10'
    then: allow
`)
  const seen = { verb: ['select'], unproven: [], statements: 1 }
  expect(outcome(small, { sql: { ...seen, limit: 10 } })).toBe('allow by small')
  expect(outcome(small, { sql: { ...seen, limit: 11 } })).toBe('deny by no-rule-matched')
  expect(outcome(small, { sql: { ...seen, limit: null } })).toBe('deny by no-rule-matched')
  expect(outcome(small, { sql: { ...seen, statements: 2, limit: 1 } })).toBe(
    'deny by no-rule-matched',
  )
})
