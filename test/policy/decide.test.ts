import { describe, expect, test } from 'vitest'
import { decide } from '../../src/policy/decide.ts'
import { action, compile, outcome } from './support.ts'

const policies = compile(`
rules:
  - { name: may-post, on: crm, what: { http: { method: POST } }, then: allow }
  - { name: may-write, on: crm, when: action.effect == 'write', then: allow, risk: high, reason: WRITES }
  - name: refunds
    on: crm
    what: { http: { path: /refunds } }
    then: hold
    reason: REFUND
    approval: { from: { group: leads } }
  - name: big-refunds
    on: crm
    what: { http: { path: /refunds } }
    when: action.http.json.cents > 5000
    then: hold
    risk: critical
    reason: BIG_REFUND
    approval:
      from: { people: [{ issuer: https://idp.example.com, subject: maria }] }
      expires: 2h
      scope: [once, { minutes: 15, match: [http.path] }]
      channels: [console]
  - { name: never, on: crm, what: { http: { path: /refunds/all } }, then: deny, reason: NEVER }
`)

const refund = (cents: number) => ({ http: { method: 'POST', path: '/refunds', json: { cents } } })

test('what no rule covers is denied', () => {
  expect(outcome(policies, { http: { method: 'GET', path: '/', json: null } })).toBe(
    'deny by no-rule-matched',
  )
  expect(outcome(policies, { on: 'nowhere' })).toBe('deny by no-rule-matched')
  expect(outcome(compile('rules: []'), { http: {} })).toBe('deny by no-rule-matched')
})

test('deny beats hold beats allow', () => {
  expect(outcome(policies, { http: { method: 'POST', path: '/orders' } })).toBe('allow by may-post')
  expect(outcome(policies, refund(100))).toBe('hold by refunds')
  expect(outcome(policies, { http: { method: 'POST', path: '/refunds/all' } })).toBe(
    'deny by never',
  )
})

test('the requirements of all hold rules add up, and the riskiest gives the reason', () => {
  const decision = decide(action(refund(9000)), {}, policies)
  expect(decision).toEqual({
    verdict: 'hold',
    reason: 'BIG_REFUND',
    rules: ['big-refunds', 'refunds'],
    policy: policies.hash,
    requirements: [
      {
        rule: 'big-refunds',
        from: { people: [{ issuer: 'https://idp.example.com', subject: 'maria' }] },
        quorum: 1,
        expiresMs: 7_200_000,
        scope: [{ kind: 'once' }, { kind: 'minutes', minutes: 15, match: ['http.path'] }],
        channels: ['console'],
        risk: 'critical',
      },
      {
        rule: 'refunds',
        from: { group: 'leads' },
        quorum: 1,
        expiresMs: 900_000,
        scope: [{ kind: 'once' }],
        channels: [],
        risk: 'medium',
      },
    ],
  })
})

test('all rules that allow are named', () => {
  const doing = { http: { method: 'POST', path: '/orders' }, effect: 'write' } as const
  expect(outcome(policies, doing)).toBe('allow by may-post, may-write')
  expect(decide(action(doing), {}, policies).reason).toBe('WRITES')
})

test('of equally risky rules the first by name gives the reason', () => {
  const two = compile(`
rules:
  - { name: b, on: crm, then: deny, reason: SECOND }
  - { name: a, on: crm, then: deny, reason: FIRST }
`)
  expect(decide(action({}), {}, two)).toMatchObject({ reason: 'FIRST', rules: ['a', 'b'] })
})

describe('an action that would be held', () => {
  test('is denied when nobody answers for the agent: nobody could be ruled out as approver (class 13)', () => {
    const decision = decide(action({ ...refund(100), by: { owner: null } }), {}, policies)
    expect(decision).toMatchObject({ verdict: 'deny', reason: 'owner-unknown', rules: ['refunds'] })
    expect(decision.requirements).toEqual([])
  })

  test('is held when the agent presents the token of a person, who answers for it', () => {
    const chain = [{ issuer: 'https://idp.example.com', subject: 'support-agent' }]
    const by = { subject: 'priya', chain, owner: null }
    expect(outcome(policies, { ...refund(100), by })).toBe('hold by refunds')
  })

  test('is held when a person does it', () => {
    const by = { kind: 'human', owner: null } as const
    expect(outcome(policies, { ...refund(100), by })).toBe('hold by refunds')
  })
})

test('a hold rule whose condition fails denies, even beside one that would only hold', () => {
  const decision = decide(
    action({ http: { method: 'POST', path: '/refunds', json: {} } }),
    {},
    policies,
  )
  expect(decision).toMatchObject({
    verdict: 'deny',
    reason: 'condition-failed',
    rules: ['big-refunds'],
  })
})
