import { describe, expect, test } from 'vitest'
import { Unknown, type Attribute } from '../../../src/core/action.ts'
import { compile, outcome } from '../support.ts'

const exports = compile(`
rules:
  - name: safe-columns
    on: crm
    what: { http: { json: { dataset: customers, columns: [id, plan] } } }
    then: allow
  - name: personal-columns
    on: crm
    what: { http: { json: { columns: [email, phone] } } }
    then: deny
`)

const body = (json: Attribute) => ({ http: { json } })
const columns = (value: Attribute) =>
  body({ dataset: 'customers', columns: value } as unknown as Attribute)

test('of a list, everything has to be allowed', () => {
  expect(outcome(exports, columns(['id', 'plan']))).toBe('allow by safe-columns')
  expect(outcome(exports, columns(['id', 'salary']))).toBe('deny by no-rule-matched')
})

test('of a list, anything is denied', () => {
  expect(outcome(exports, columns(['id', 'email']))).toBe('deny by personal-columns')
})

test('one value is a list of one', () => {
  expect(outcome(exports, columns('id'))).toBe('allow by safe-columns')
  expect(outcome(exports, columns('email'))).toBe('deny by personal-columns')
})

test('all fields that a rule names have to fit', () => {
  expect(outcome(exports, body({ dataset: 'orders', columns: ['id'] }))).toBe(
    'deny by no-rule-matched',
  )
})

test('fields that a rule does not name do not matter', () => {
  expect(outcome(exports, body({ dataset: 'customers', columns: ['id'], format: 'csv' }))).toBe(
    'allow by safe-columns',
  )
})

describe('what cannot be compared is not allowed, and is denied (class 9)', () => {
  test.each<[string, Attribute]>([
    ['a body that could not be read', new Unknown('too large')],
    ['no body', null],
    ['a list of bodies', []],
    ['a body of another kind', 'columns=email'],
    ['no such field', {}],
    ['the field in another case', { Columns: ['email'] }],
    ['an empty list, which may mean all', { columns: [] }],
    ['null', { columns: null }],
    ['a number for a name', { columns: [7] }],
    ['an object for a list', { columns: { 0: 'email' } }],
    ['a list in a list', { columns: [['email']] }],
    ['a field named like a part of every object', { constructor: { columns: ['id'] } }],
  ])('%s', (_, json) => {
    expect(outcome(exports, body(json))).toBe('deny by personal-columns')
  })
})

test('a deny rule is not got around by another case', () => {
  expect(outcome(exports, columns(['EMAIL']))).toBe('deny by personal-columns')
})

test('fields of fields, in objects and in lists of them', () => {
  const policies = compile(`
rules:
  - name: home
    on: crm
    what: { http: { json: { items: { warehouse: { country: [DE, FR] } } } } }
    then: allow
`)
  const from = (...countries: string[]) =>
    body({ items: countries.map((country) => ({ warehouse: { country } })) })
  expect(outcome(policies, from('DE', 'FR'))).toBe('allow by home')
  expect(outcome(policies, from('DE', 'US'))).toBe('deny by no-rule-matched')
  expect(outcome(policies, body({ items: { warehouse: { country: 'DE' } } }))).toBe('allow by home')
})

test('numbers, booleans and null are what they are, not what they look like', () => {
  const policies = compile(`
rules:
  - { name: ok, on: crm, what: { http: { json: { level: [1, true, null] } } }, then: allow }
`)
  for (const level of [1, true, null]) {
    expect(outcome(policies, body({ level }))).toBe('allow by ok')
  }
  for (const level of ['1', 'true', '', 0, false, 1.5]) {
    expect(outcome(policies, body({ level }))).toBe('deny by no-rule-matched')
  }
})

test('a deeply nested body costs a comparison, not the stack', () => {
  let nested: Attribute = ['email']
  for (let depth = 0; depth < 100_000; depth++) nested = [nested]
  expect(outcome(exports, columns(nested))).toBe('deny by personal-columns')
})
