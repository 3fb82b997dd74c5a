import { expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

const policies = compile(`
rules:
  - { name: machines, on: crm, who: { kind: [agent, service] }, then: allow }
`)

test('agents and services are machines, people are not', () => {
  expect(outcome(policies, { by: { kind: 'agent' } })).toBe('allow by machines')
  expect(outcome(policies, { by: { kind: 'service' } })).toBe('allow by machines')
  expect(outcome(policies, { by: { kind: 'human' } })).toBe('deny by no-rule-matched')
})
