import { expect, test } from 'vitest'
import { Unknown } from '../../../src/core/action.ts'
import { compile, outcome } from '../support.ts'

const policies = compile(`
rules:
  - { name: reads, on: crm, what: { http: { method: [GET, DELETE] } }, then: allow }
  - { name: no-deleting, on: crm, what: { http: { method: DELETE } }, then: deny }
`)

const secret = compile(`
rules:
  - { name: all, on: crm, then: allow }
  - { name: secret, on: crm, what: { http: { method: GET } }, then: deny }
`)

test('an allow rule lets through the methods that it lists', () => {
  expect(outcome(policies, { http: { method: 'GET' } })).toBe('allow by reads')
  expect(outcome(policies, { http: { method: 'POST' } })).toBe('deny by no-rule-matched')
})

test('an allow rule wants the method in the spelling of the standard (class 8)', () => {
  expect(outcome(policies, { http: { method: 'get' } })).toBe('deny by no-rule-matched')
})

test('a deny rule is not got around by another spelling (class 8)', () => {
  expect(outcome(policies, { http: { method: 'DELETE' } })).toBe('deny by no-deleting')
  expect(outcome(policies, { http: { method: 'dElEtE' } })).toBe('deny by no-deleting')
})

test('a deny rule about GET takes HEAD for one; an allow rule does not', () => {
  expect(outcome(secret, { http: { method: 'HEAD' } })).toBe('deny by secret')
  expect(outcome(policies, { http: { method: 'HEAD' } })).toBe('deny by no-rule-matched')
})

test('a method that is not known is not allowed, and is denied', () => {
  const method = new Unknown('it was not read')
  expect(outcome(policies, { http: { method } })).toBe('deny by no-deleting')
  expect(outcome(policies, { http: {} })).toBe('deny by no-deleting')
})
