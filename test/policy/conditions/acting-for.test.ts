import { expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

const issuer = 'https://idp.example.com'
const policies = compile(`
rules:
  - { name: for-priya, on: crm, who: { acting_for: priya }, then: allow }
`)

test('an agent acts for its owner', () => {
  expect(outcome(policies, {})).toBe('allow by for-priya')
})

test('an agent that presents the token of a person acts for that person, whoever owns it', () => {
  const chain = [{ issuer, subject: 'support-agent' }]
  expect(outcome(policies, { by: { subject: 'omar', chain } })).toBe('deny by no-rule-matched')
  expect(outcome(policies, { by: { subject: 'priya', chain, owner: null } })).toBe(
    'allow by for-priya',
  )
})
