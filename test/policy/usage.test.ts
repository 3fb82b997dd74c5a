import { describe, expect, test } from 'vitest'
import { Unknown, type Attribute } from '../../src/core/action.ts'
import { compile, mistakesIn, outcome, resources } from './support.ts'

const datasets = [
  { name: 'customers', classes: ['pii'] },
  { name: 'llm', classes: [] },
]
const known = { resources, datasets }

const rule = (when: string, then = 'deny', on = 'crm') => `rules:
  - { name: all, on: '*', then: allow }
  - name: budget
    on: ${on}
    then: ${then}
    when: >-
      ${when}
`

const decided = (when: string, usage: Record<string, Attribute> | null, then = 'deny') =>
  outcome(compile(rule(when, then), known), { http: { path: '/' } }, usage ? { usage } : {})

describe('a budget in a condition', () => {
  const budget = 'usage.rows(subject, "customers", "24h") > 10000'

  test('holds off what is over it, and lets the rest run', () => {
    expect(decided(budget, { 'rows customers 24h': 10_000 })).toBe('allow by all')
    expect(decided(budget, { 'rows customers 24h': 10_001 })).toBe('deny by budget')
  })

  test('declares what it needs, once, by the same name for the same span', () => {
    const twice =
      'usage.tokens(subject, "llm", "1d") > 5 || usage.tokens(subject, "llm", "24h") > 9'
    const { usage, facts } = compile(rule(twice), known).needs('crm')
    expect(usage).toEqual([{ measure: 'tokens', kind: 'dataset', name: 'llm', hours: 24 }])
    expect(facts).toEqual(['usage.tokens llm 24h'])
    expect(compile(rule(twice), known).needs('orders-db').usage).toEqual([])
  })

  test('can be over a class, and about a first time', () => {
    const of = 'usage.actions(subject, "class:pii", "7d") >= 3'
    expect(decided(of, { 'actions class:pii 168h': 3 })).toBe('deny by budget')
    expect(decided('usage.first(subject, "customers")', { 'first customers': true })).toBe(
      'deny by budget',
    )
    expect(decided('usage.first(subject, "customers")', { 'first customers': false })).toBe(
      'allow by all',
    )
  })

  test.each<[string, Record<string, Attribute> | null]>([
    ['that nobody counted', null],
    ['that is not among the facts', { 'rows llm 24h': 5 }],
    ['that could not be counted', { 'rows customers 24h': new Unknown('the store is away') }],
    ['that is no number', { 'rows customers 24h': '12' }],
  ])('%s: a deny rule denies, and an allow rule allows nothing', (_, usage) => {
    expect(decided(budget, usage)).toBe('deny by budget')
    const allowing = `rules:\n  - { name: few, on: crm, then: allow, when: '!(${budget})' }\n`
    const policies = compile(allowing, known)
    expect(outcome(policies, { http: { path: '/' } }, usage ? { usage } : {})).toBe(
      'deny by no-rule-matched',
    )
  })
})

describe('is checked when it is loaded', () => {
  test.each([
    ['usage.rows(subject, "custmers", "24h") > 1', 'Did you mean "customers"?'],
    ['usage.rows(subject, "class:secret", "24h") > 1', 'There is no class "secret".'],
    ['usage.rows(subject, "customers", "90m") > 1', 'whole hours or days, 31d at most'],
    ['usage.rows(subject, "customers", "32d") > 1', 'whole hours or days, 31d at most'],
    ['usage.rows(subject, "customers") > 1', 'whole hours or days'],
    ['usage.rows(subject, action.name, "24h") > 1', 'The data set has to be written out.'],
    ['usage.rows(action, "customers", "24h") > 1', 'What is counted is what the subject did.'],
    ['usage.row(subject, "customers", "24h") > 1', 'There is no `usage.row`.'],
    ['usage.rows() > 1', 'What is counted is what the subject did.'],
    ['usage.rows(subject, "customers", "24h") > "1"', 'no such overload: double > string'],
    ['usage.rows(subject, "customers", "24h")', 'of type double, not bool'],
    ['usage.first(subject, "customers", "24h")', 'no matching overload'],
    ['usage == usage', 'The fact `usage.` is not available'],
  ])('%s', (when, said) => {
    expect(mistakesIn(rule(when), known)).toContain(said)
  })

  test('of the gateway itself nothing is counted', () => {
    const when = 'usage.actions(subject, "customers", "24h") > 1'
    expect(mistakesIn(rule(when, 'deny', 'sallyport'), known)).toContain('is not counted')
  })

  test('policies from elsewhere may name data sets that are not here, and fail closed here', () => {
    const policies = compile(rule('usage.rows(subject, "other", "24h") > 1'), {
      ...known,
      elsewhere: true,
    })
    expect(outcome(policies, { http: { path: '/' } })).toBe('deny by budget')
  })
})
