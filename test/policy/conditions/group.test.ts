import { expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

const policies = compile(`
rules:
  - { name: readers, on: crm, who: { group: [agents, services] }, then: allow }
  - { name: banned, on: crm, who: { group: banned }, then: deny }
`)

test('a member of one of the groups is let in, whatever other groups there are', () => {
  expect(outcome(policies, { by: { groups: ['agents'] } })).toBe('allow by readers')
  expect(outcome(policies, { by: { groups: ['interns', 'services'] } })).toBe('allow by readers')
})

test('nobody else is', () => {
  expect(outcome(policies, { by: { groups: ['interns'] } })).toBe('deny by no-rule-matched')
  expect(outcome(policies, { by: { groups: [] } })).toBe('deny by no-rule-matched')
})

test('names of groups are compared exactly', () => {
  expect(outcome(policies, { by: { groups: ['Agents'] } })).toBe('deny by no-rule-matched')
})

test('one group that is denied is enough', () => {
  expect(outcome(policies, { by: { groups: ['agents', 'banned'] } })).toBe('deny by banned')
})
