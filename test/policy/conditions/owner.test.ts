import { expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

const issuer = 'https://idp.example.com'
const policies = compile(`
rules:
  - { name: ours, on: crm, who: { owner: [priya, { group: platform }] }, then: allow }
  - { name: not-his, on: crm, who: { owner: mallory }, then: deny, reason: SUSPENDED }
`)

test('the owner is a person, or a group', () => {
  expect(outcome(policies, { by: { owner: { issuer, subject: 'priya' } } })).toBe('allow by ours')
  expect(outcome(policies, { by: { owner: { group: 'platform' } } })).toBe('allow by ours')
  expect(outcome(policies, { by: { owner: { issuer, subject: 'omar' } } })).toBe(
    'deny by no-rule-matched',
  )
})

test('a person is not taken for the group of the same name, nor a group for the person', () => {
  expect(outcome(policies, { by: { owner: { issuer, subject: 'platform' } } })).toBe(
    'deny by no-rule-matched',
  )
  expect(outcome(policies, { by: { owner: { group: 'priya' } } })).toBe('deny by no-rule-matched')
})

test('an agent of whom nobody knows the owner may be anybody’s: what is denied to one is denied to it', () => {
  expect(outcome(policies, { by: { owner: null } })).toBe('deny by not-his')
})

test('behind a person there is nobody else', () => {
  expect(outcome(policies, { by: { kind: 'human', owner: null } })).toBe('deny by no-rule-matched')
})
