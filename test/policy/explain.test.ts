import { expect, test } from 'vitest'
import { Unknown } from '../../src/core/action.ts'
import { explain } from '../../src/policy/explain.ts'
import { action, compile } from './support.ts'

const policies = compile(`
rules:
  - name: agents-read-orders
    who: { group: agents }
    on: crm
    what: { http: { method: GET, path: /v1/orders } }
    then: allow
  - name: exports-need-two
    description: Exports leave the house.
    on: crm
    what: { http: { path: /v1/exports, json: { columns: [email, phone] } } }
    when: action.http.json.rows > 10
    then: hold
    risk: high
    approval: { from: { group: data-owners }, quorum: 2 }
`)

test('of a denial: which rules came near, and what they were missing', () => {
  const by = { groups: ['interns'] }
  const { decision, rules, change } = explain(
    action({ by, http: { method: 'GET', path: '/v1/orders' } }),
    {},
    policies,
  )
  expect(decision.reason).toBe('no-rule-matched')
  expect(rules[0]).toMatchObject({
    rule: 'agents-read-orders',
    file: 'policies/a.yaml',
    line: 3,
    matches: 'no',
    conditions: [
      { key: 'who.group', satisfied: false, wants: 'agents', found: 'interns' },
      { key: 'what.http.method', satisfied: true, wants: 'GET', found: 'GET' },
      { key: 'what.http.path', satisfied: true, wants: '/v1/orders', found: '/v1/orders' },
    ],
  })
  expect(change).toEqual([
    'Rule agents-read-orders would allow it with who.group: agents (it is: interns).',
  ])
})

test('of a hold: who has to approve', () => {
  const json = { columns: ['email'], rows: 20 }
  const { decision, rules, change } = explain(
    action({ http: { method: 'POST', path: '/v1/exports', json } }),
    {},
    policies,
  )
  expect(decision.verdict).toBe('hold')
  expect(rules[0]).toMatchObject({ rule: 'exports-need-two', matches: 'yes' })
  expect(change).toEqual([
    'Rule exports-need-two (risk high) asks for 2 people of data-owners to approve.',
  ])
})

test('of a condition that failed: why', () => {
  const json = { columns: ['email'] }
  const { change } = explain(
    action({ http: { method: 'POST', path: '/v1/exports', json } }),
    {},
    policies,
  )
  expect(change).toEqual([
    'The condition of rule exports-need-two could not be evaluated: No such key: rows. Exports leave the house.',
  ])
})

test('of something unknown: that it is, and how the rule takes it', () => {
  const json = new Unknown('the body is larger than 1MiB')
  const { rules } = explain(
    action({ http: { method: 'POST', path: '/v1/exports', json } }),
    {},
    policies,
  )
  expect(rules[0]?.conditions).toContainEqual({
    key: 'what.http.json',
    satisfied: true,
    wants: 'columns: "email" or "phone"',
    found:
      'something unknown: the body is larger than 1MiB (not comparable, so a hold rule takes it for the worst)',
  })
})

test('of an agent that nobody answers for: that it needs an owner', () => {
  const json = { columns: ['email'], rows: 20 }
  const doing = { by: { owner: null }, http: { method: 'POST', path: '/v1/exports', json } }
  expect(explain(action(doing), {}, policies).change).toEqual([
    'The agent needs a known owner before anybody can approve what it does.',
  ])
})

test('of an allowed action: nothing has to change', () => {
  const { decision, change } = explain(
    action({ http: { method: 'GET', path: '/v1/orders' } }),
    {},
    policies,
  )
  expect(decision.verdict).toBe('allow')
  expect(change).toEqual([])
})

test('of a resource without rules: that there are none', () => {
  expect(explain(action({ on: 'crm-staging' }), {}, policies)).toMatchObject({
    rules: [],
    change: ['No rule allows anything here.'],
  })
})

test('what an agent sent is quoted in part, and an explanation is plain JSON', () => {
  const json = { columns: ['x'.repeat(10_000)] }
  const explanation = explain(
    action({ http: { method: 'POST', path: '/v1/exports', json } }),
    {},
    policies,
  )
  expect(JSON.stringify(explanation).length).toBeLessThan(5000)
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation)
})
