import { describe, expect, it } from 'vitest'
import type { Action } from '../../../src/core/action.ts'
import { compilePolicies, type CompiledPolicies } from '../../../src/policy/compile.ts'
import { decide } from '../../../src/policy/decide.ts'

const resources = [{ name: 'crm', protocol: 'http', facts: [] }]
const compile = (rules: string): CompiledPolicies =>
  compilePolicies([{ file: 'policies/a.yaml', text: `rules: [${rules}]` }], { resources })

const doing = (operation: string): Action => ({
  id: '00000000-0000-7000-8000-000000000000',
  name: operation,
  subject: {
    issuer: 'https://idp.test',
    subject: 'dana',
    kind: 'human',
    groups: ['platform'],
    owner: null,
    chain: [],
    related: [],
    claims: {},
  },
  resource: 'sallyport',
  effect: 'admin',
  attributes: { admin: { operation, target: 'refund-bot' } },
  summary: operation,
  agentReason: null,
  trace: null,
})

describe('what.admin.operation', () => {
  const policies = compile(
    '{ name: keys, on: sallyport, what: { admin: { operation: [key.create, key.revoke] } }, then: hold, approval: { from: { group: security } } }',
  )

  it.each([
    ['key.create', 'hold', 'rule-held'],
    ['key.revoke', 'hold', 'rule-held'],
    ['policy.activate', 'allow', 'role-allowed'],
  ])('%s: %s', (operation, verdict, reason) => {
    expect(decide(doing(operation), {}, policies)).toMatchObject({ verdict, reason })
  })

  it('leaves everything to the roles where no rule is about it, also not by a glob', () => {
    const all = compile("{ name: nothing, on: '*', then: deny }")
    expect(decide(doing('key.create'), {}, all)).toMatchObject({ verdict: 'allow' })
  })

  it('can be looked at in a condition', () => {
    const named = compile(
      "{ name: bots, on: sallyport, when: action.admin.target.startsWith('refund-'), then: deny }",
    )
    expect(decide(doing('key.create'), {}, named)).toMatchObject({ verdict: 'deny' })
  })

  it.each([
    ['an operation that there is not', '{ admin: { operation: key.steal } }', 'deny'],
    ['another kind of action', '{ http: { method: GET } }', 'deny'],
    ['a rule that allows', '{ admin: { operation: key.create } }', 'allow'],
  ])('takes %s for a mistake', (_, what, then) => {
    expect(() => compile(`{ name: a, on: sallyport, what: ${what}, then: ${then} }`)).toThrow()
  })
})
