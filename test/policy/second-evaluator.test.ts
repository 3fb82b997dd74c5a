import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Unknown, type Action, type Attribute } from '../../src/core/action.ts'
import type { Subject } from '../../src/core/subject.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explain.ts'
import { naiveDecide, type NaiveRule } from './naive.ts'
import { action, resources } from './support.ts'

/** Few names, so that rules and actions meet often, and several rules match at once. */
const some = <T>(...values: readonly [T, ...T[]]) => fc.subarray([...values], { minLength: 1 })
const maybe = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined, freq: 2 })

const issuers = ['https://a', 'https://b'] as const
const people = ['maria', 'bot', 'helper'] as const
const columns = ['email', 'id', 7, true, null] as const

const fields = fc.oneof(
  fc.record({ columns: some<string | number | boolean | null>(...columns) }),
  fc.record({ from: fc.record({ country: some('DE', 'FR') }) }),
  fc.record({ columns: some('email', 'ID'), from: fc.record({ country: some('DE') }) }),
)

const rule: fc.Arbitrary<Omit<NaiveRule, 'name'>> = fc.record(
  {
    then: fc.constantFrom('allow', 'allow', 'deny', 'hold'),
    risk: fc.constantFrom('low', 'medium', 'high'),
    reason: maybe(fc.constantFrom('A_REASON', 'ANOTHER')),
    who: maybe(
      fc
        .record({
          group: maybe(some('agents', 'interns', 'leads')),
          kind: maybe(some('human', 'agent', 'service')),
          subject: maybe(some(...people)),
          issuer: maybe(some(...issuers)),
          owner: maybe(some(...people)),
        })
        .filter((who) => Object.values(who).some((list) => list !== undefined)),
    ),
    what: maybe(
      fc.record({
        method: maybe(some('GET', 'POST', 'DELETE')),
        path: maybe(
          some('/v1/orders', '/v1/orders/:id', '/v1/**', '/a/**/z', '/v1/*.csv', '/v2/a', '/V2/A/'),
        ),
        json: maybe(fields),
      }),
    ),
    whenAboveTen: maybe(fc.constant('n')),
  },
  { requiredKeys: ['then', 'risk'] },
)

const party = fc.record({
  issuer: fc.constantFrom(...issuers),
  subject: fc.constantFrom(...people),
})

const subject: fc.Arbitrary<Partial<Subject>> = fc.record({
  issuer: fc.constantFrom(...issuers),
  subject: fc.constantFrom(...people),
  kind: fc.constantFrom('human', 'agent', 'service'),
  groups: fc.subarray(['agents', 'interns', 'leads', 'others']),
  owner: fc.option(fc.oneof(party, fc.constant({ group: 'maria' }))),
  chain: fc.array(party, { maxLength: 2 }),
})

const unknown: fc.Arbitrary<Attribute> = fc.constant(new Unknown('a test'))

const value: fc.Arbitrary<Attribute> = fc.oneof(
  fc.constantFrom<Attribute>('email', 'EMAIL', 'id', 7, '7', true, null, 'other', {}, []),
  fc.array(fc.constantFrom<Attribute>('email', 'id', 'Id', 7, null, ['email']), { maxLength: 3 }),
) as fc.Arbitrary<Attribute>

const json = fc.oneof(
  { weight: 4, arbitrary: body() },
  { weight: 1, arbitrary: fc.oneof(unknown, fc.constantFrom<Attribute>(null, [], 'text')) },
)

function body(): fc.Arbitrary<Attribute> {
  const country = fc.constantFrom('DE', 'de', 'US', 1)
  const origin = fc.record({ country }, { requiredKeys: [] })
  const record = fc.record(
    {
      columns: value,
      from: fc.oneof(origin, fc.array(origin, { maxLength: 2 }), fc.constant('DE')),
      n: fc.constantFrom<Attribute>(5, 10, 11, '11', null),
    },
    { requiredKeys: [] },
  )
  return record as fc.Arbitrary<Attribute>
}

const http = fc.record(
  {
    method: fc.oneof(fc.constantFrom<Attribute>('GET', 'get', 'HEAD', 'POST', 'DELETE'), unknown),
    path: fc.oneof(
      fc.constantFrom<Attribute>(
        '/v1/orders',
        '/v1/orders/',
        '/V1/orders/7',
        '/v1/%6frders/7',
        '/v1//orders',
        '/v1/7.csv',
        '/a/z',
        '/a/b/c/z',
        '/v2/a',
        '/',
      ),
      unknown,
    ),
    json,
  },
  { requiredKeys: [] },
)

const anAction: fc.Arbitrary<Action> = fc
  .record({ by: subject, http })
  .map(({ by, http: attributes }) => action({ by, http: attributes }))

/** The rule as its author would write it; JSON is YAML. */
function written({ what, whenAboveTen, ...rest }: NaiveRule): object {
  return {
    ...rest,
    on: 'crm',
    ...(what && { what: { http: what } }),
    ...(whenAboveTen && { when: `action.http.json.${whenAboveTen} > 10` }),
    ...(rest.then === 'hold' && { approval: { from: { group: 'leads' } } }),
  }
}

const ruleSets = fc
  .array(rule, { maxLength: 40 })
  .map((list) => list.map((one, index): NaiveRule => ({ ...one, name: `rule-${index}` })))

test('the index, the compiler and the naive evaluator decide alike', () => {
  fc.assert(
    fc.property(ruleSets, fc.array(anAction, { minLength: 1, maxLength: 20 }), (rules, actions) => {
      const text = JSON.stringify({ rules: rules.map(written) })
      const policies = compilePolicies([{ file: 'a.yaml', text }], { resources })
      for (const one of actions) {
        const { verdict, rules: names, reason, requirements } = decide(one, {}, policies)
        expect({ verdict, rules: names, reason }).toEqual(naiveDecide(one, rules))
        expect(requirements.map((needed) => needed.rule)).toEqual(verdict === 'hold' ? names : [])
      }
    }),
    { numRuns: 300 },
  )
})

test('the order of the rules has no meaning', () => {
  const pair = ruleSets.chain((rules) =>
    fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length })),
  )
  fc.assert(
    fc.property(pair, anAction, ([rules, turned], one) => {
      const [a, b] = [rules, turned].map((list) =>
        compilePolicies([{ file: 'a.yaml', text: JSON.stringify({ rules: list.map(written) }) }], {
          resources,
        }),
      )
      expect(decide(one, {}, b!)).toEqual(decide(one, {}, a!))
    }),
    { numRuns: 100 },
  )
})

test('an explanation says of each rule that a decision rests on that it matches', () => {
  fc.assert(
    fc.property(ruleSets, anAction, (rules, one) => {
      const text = JSON.stringify({ rules: rules.map(written) })
      const policies = compilePolicies([{ file: 'a.yaml', text }], { resources })
      const { decision, rules: explained } = explain(one, {}, policies)
      for (const { rule: name, matches, conditions } of explained) {
        if (decision.rules.includes(name)) expect(matches).not.toBe('no')
        expect(conditions.every(({ satisfied }) => satisfied)).toBe(matches !== 'no')
      }
    }),
    { numRuns: 100 },
  )
})
