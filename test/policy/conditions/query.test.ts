import { expect, test } from 'vitest'
import { Unknown } from '../../../src/core/action.ts'
import { compile, outcome } from '../support.ts'

const policies = compile(`
rules:
  - { name: own-region, on: crm, what: { http: { query: { region: [eu, us] } } }, then: allow }
  - { name: all-of-it, on: crm, what: { http: { query: { region: all } } }, then: deny }
`)

const asked = (region: string | readonly string[]) => ({ http: { query: { region } } })

test('a parameter has one of the listed values', () => {
  expect(outcome(policies, asked('eu'))).toBe('allow by own-region')
  expect(outcome(policies, asked('cn'))).toBe('deny by no-rule-matched')
})

test('of a parameter with several values, everything has to be allowed, and anything is denied (class 9)', () => {
  expect(outcome(policies, asked(['eu', 'us']))).toBe('allow by own-region')
  expect(outcome(policies, asked(['eu', 'cn']))).toBe('deny by no-rule-matched')
  expect(outcome(policies, asked(['eu', 'all']))).toBe('deny by all-of-it')
})

test('without the parameter nothing is allowed, and the deny rule takes it for the worst', () => {
  expect(outcome(policies, { http: { query: {} } })).toBe('deny by all-of-it')
  expect(outcome(policies, { http: { query: new Unknown('twice') } })).toBe('deny by all-of-it')
})

test('a parameter is text', () => {
  const rule = (value: string) => `
rules:
  - { name: r, on: crm, what: { http: { query: { page: ${value} } } }, then: allow }
`
  expect(outcome(compile(rule("'1'")), { http: { query: { page: '1' } } })).toBe('allow by r')
  expect(() => compile(rule('1'))).toThrow('Parameters are texts: write it in quotes.')
})
