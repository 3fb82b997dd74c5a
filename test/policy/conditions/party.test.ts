import { describe, expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

const ours = 'https://idp.example.com'
const theirs = 'https://partner.example'

describe('an allow rule', () => {
  const policies = compile(`
rules:
  - name: the-two
    on: crm
    who: { subject: [maria, helper], issuer: ${ours} }
    then: allow
`)

  test('lets in a subject that it lists', () => {
    expect(outcome(policies, { by: { subject: 'maria' } })).toBe('allow by the-two')
  })

  test('lets in a subject whose actors are all listed', () => {
    const by = { subject: 'maria', chain: [{ issuer: ours, subject: 'helper' }] }
    expect(outcome(policies, { by })).toBe('allow by the-two')
  })

  test('does not let in an actor that it does not list, behind a subject that it does (class 14)', () => {
    const by = { subject: 'maria', chain: [{ issuer: ours, subject: 'stranger' }] }
    expect(outcome(policies, { by })).toBe('deny by no-rule-matched')
  })

  test('does not take a name for the same name of another issuer', () => {
    expect(outcome(policies, { by: { subject: 'maria', issuer: theirs } })).toBe(
      'deny by no-rule-matched',
    )
    const by = { subject: 'maria', chain: [{ issuer: theirs, subject: 'helper' }] }
    expect(outcome(policies, { by })).toBe('deny by no-rule-matched')
  })
})

describe('a deny rule', () => {
  const policies = compile(`
rules:
  - { name: everybody, on: crm, then: allow }
  - { name: not-mallory, on: crm, who: { subject: mallory, issuer: ${theirs} }, then: deny }
`)

  test('is set off by the subject, and by any actor in its chain', () => {
    expect(outcome(policies, { by: { subject: 'mallory', issuer: theirs } })).toBe(
      'deny by not-mallory',
    )
    const chain = [
      { issuer: ours, subject: 'helper' },
      { issuer: theirs, subject: 'mallory' },
    ]
    expect(outcome(policies, { by: { chain } })).toBe('deny by not-mallory')
  })

  test('is not set off by one party that has the name and another that has the issuer', () => {
    const by = { subject: 'mallory', issuer: ours, chain: [{ issuer: theirs, subject: 'bot' }] }
    expect(outcome(policies, { by })).toBe('allow by everybody')
  })
})

test('an issuer alone can be asked for', () => {
  const policies = compile(`
rules:
  - { name: ours, on: crm, who: { issuer: ${ours} }, then: allow }
`)
  expect(outcome(policies, {})).toBe('allow by ours')
  expect(outcome(policies, { by: { issuer: theirs } })).toBe('deny by no-rule-matched')
})
