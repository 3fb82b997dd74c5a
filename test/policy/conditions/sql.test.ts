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
