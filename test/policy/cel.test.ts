import { describe, expect, test } from 'vitest'
import { Unknown, type Attribute } from '../../src/core/action.ts'
import { compile, mistakesIn, outcome } from './support.ts'

const indented = (expression: string) => expression.replaceAll('\n', '\n      ')
const policy = (when: string, then = 'allow', on = 'crm') => `rules:
  - name: r
    on: ${on}
    then: ${then}
    when: >-
      ${indented(when)}
`

const bodyOf = (json: Attribute) => ({
  http: { method: 'POST', path: '/', query: { q: '1' }, json },
})

describe('a condition is checked when it is loaded', () => {
  test.each([
    ['action.http.method ==', 'Unexpected token: EOF'],
    ['action.http.method == "GET" &', 'Unexpected'],
    ['action.http.method > 3', 'no such overload: string > int'],
    ['action.http.method', 'of type string, not bool'],
    ['action.http.json.flag', 'of type dyn, not bool'],
    ['acton.http.method == "GET"', 'Unknown variable: acton'],
    ['action.http.methd == "GET"', 'There is no `action.http.methd` here'],
    ['action["http"].methd == "GET"', 'There is no `action.http.methd` here'],
    ['action.sql.verb == ["select"]', 'There is no `action.sql` here'],
    ['subject.group == "a"', 'No such key: group'],
    ['subject.groups.contains("a")', "no matching overload for 'list.contains"],
    ['impact.rows > 5', 'The fact `impact.rows` is not available'],
    ['usage.tokens > 5', 'The fact `usage.tokens` is not available'],
    ['action == action', '`action` cannot be used as a whole'],
    ['action.http == action.http', '`action.http` cannot be used as a whole'],
    ['action.http[action.name] == "x"', 'cannot be used as a whole'],
    ['timestamp("2026-01-01T00:00:00Z") == timestamp("x")', 'There is no function `timestamp`'],
    ['dyn(action.http.method) == 1', 'There is no function `dyn`'],
    ['action.http.json.n == 1u', 'is of type uint'],
    ["action.http.json.s == b'x'", 'is of type bytes'],
    ['cel.bind(x, 1, x == 1)', 'There is no method `bind`'],
    ['{}.f < 1', 'compares something whose type nobody can know'],
  ])('%s', (when, said) => {
    expect(mistakesIn(policy(when))).toContain(said)
  })

  test('and the mistake is shown where it stands in the file', () => {
    const text = `rules:
  - name: folded
    on: crm
    then: deny
    when: >-
      action.http.method == 'GET'
      && action.http.pth == 'x'
  - name: quoted
    on: crm
    then: deny
    when: 'action.http.method == ''it'' && foo'
  - name: literal
    on: crm
    then: deny
    when: |
      true &&
        bar
  - { name: plain, on: crm, then: deny, when: true && baz }
  - { name: double, on: crm, then: deny, when: "'\\u00e9' == 'e' && qux" }
`
    const lines = text.split('\n')
    const places = [...mistakesIn(text).matchAll(/a\.yaml:(\d+):(\d+) /g)]
    const words = places.map(([, line, column]) =>
      lines[Number(line) - 1]!.slice(Number(column) - 1),
    )
    expect(words.map((word) => /^\w+/.exec(word)?.[0])).toEqual([
      'action',
      'foo',
      'bar',
      'baz',
      'qux',
    ])
  })
})

describe('what it can see', () => {
  const yes = (when: string, doing: Parameters<typeof outcome>[1]) =>
    expect(outcome(compile(policy(when)), doing)).toBe('allow by r')

  test.each([
    ['action.http.method == "POST" && action.http.path == "/"'],
    ['action.http.query.q == "1" && "q" in action.http.query && !("z" in action.http.query)'],
    ['action.resource == "crm" && action.effect == "unknown" && action.name == "test"'],
    ['action.reason == ""'],
    ['subject.subject == "support-agent" && subject.kind == "agent" && "agents" in subject.groups'],
    ['subject.owner.subject == "priya" && subject.chain.size() == 0'],
    ['has(action.http.json.n) && !has(action.http.json.z)'],
    ['action.http.json.n == 5 && action.http.json.n > 4 && action.http.json.n < 5.5'],
    ['action.http.json.tags.all(t, t in ["a", "b"]) && size(action.http.json.tags) == 2'],
    ['action.http.json.n * 2.0 == 10.0'],
    ['action.http.json.name.startsWith("Ada") && action.http.json.name.lowerAscii() == "ada l."'],
    ['action.http.json.name.matchesRe2("^A[a-z]+ L[.]$")'],
  ])('%s', (when) => {
    yes(when, bodyOf({ n: 5, tags: ['a', 'b'], name: 'Ada L.' }))
  })

  test('the reason that the agent gives, and the claims of its credential', () => {
    yes('action.reason.contains("ticket")', { says: 'for ticket 7', http: {} })
    yes('subject.claims.region == "eu"', { by: { claims: { region: 'eu' } }, http: {} })
  })

  test('facts, where the resource has them', () => {
    const policies = compile(policy('impact.rows <= 100', 'allow', 'orders-db'))
    expect(policies.needs('orders-db').facts).toEqual(['impact.rows'])
    expect(outcome(policies, { sql: {} }, { impact: { rows: 100 } })).toBe('allow by r')
    expect(outcome(policies, { sql: {} }, { impact: { rows: 101 } })).toBe(
      'deny by no-rule-matched',
    )
    expect(outcome(policies, { sql: {} })).toBe('deny by no-rule-matched')
  })
})

describe('a condition that cannot be evaluated is closed', () => {
  const conditions = [
    ['a field that is missing', 'action.http.json.amount > 5', {}],
    ['no body at all', 'action.http.json.amount > 5', null],
    ['a field of a field of a text', 'action.http.json.a.b == 1', { a: 'x' }],
    ['text for a number', 'action.http.json.amount > 5', { amount: '9000' }],
    ['an index that is out of range', 'action.http.json.list[3] == 1', { list: [1] }],
    ['a body that could not be read', 'action.http.json.amount > 5', new Unknown('too large')],
    ['whether an unknown body is there', 'has(action.http.json)', new Unknown('too large')],
    ['whether it has something', '!has(action.http.json.admin)', new Unknown('too large')],
    ['a comparison with it', 'action.http.json != null', new Unknown('too large')],
    ['a body that poses as another type', 'action.http.json.amount > 5', { constructor: 1 }],
    ['no arithmetic between kinds of numbers', 'action.http.json.n * 2 > 5', { n: 5 }],
  ] as const

  test.each(conditions)('%s does not allow', (_, when, json) => {
    expect(outcome(compile(policy(when)), bodyOf(json))).toBe('deny by no-rule-matched')
  })

  test.each(conditions)('%s denies, where it was to be denied', (_, when, json) => {
    expect(outcome(compile(policy(when, 'deny')), bodyOf(json))).toBe('deny by r')
  })

  test.each(conditions)('%s denies, where it was to be held', (_, when, json) => {
    const text = policy(when, 'hold').replace(
      'then:',
      'approval: { from: { group: a } }\n    then:',
    )
    expect(outcome(compile(text), bodyOf(json))).toBe('deny by r')
  })

  test('unless the result does not depend on it', () => {
    const when = 'action.http.method == "POST" || action.http.json.amount > 5'
    expect(outcome(compile(policy(when)), bodyOf({}))).toBe('allow by r')
  })

  test('a body nested deeper than the stack is no way out (class 23)', () => {
    let nested: Attribute = 1
    for (let depth = 0; depth < 100_000; depth++) nested = [nested]
    const policies = compile(policy('action.http.json.a == action.http.json.b', 'deny'))
    expect(outcome(policies, bodyOf({ a: nested, b: [nested] }))).toBe('deny by r')
  })
})

describe('a condition takes time proportional to the request (class 23)', () => {
  test('regular expressions are linear', () => {
    expect(mistakesIn(policy('action.http.path.matches("(a+)+$")'))).toContain('exponential time')
    const policies = compile(policy('action.http.json.name.matchesRe2("^(a+)+$")'))
    expect(outcome(policies, bodyOf({ name: `${'a'.repeat(50_000)}!` }))).toBe(
      'deny by no-rule-matched',
    )
  })

  test.each([
    ['action.http.path.matchesRe2("[")', 'missing closing ]'],
    ['action.http.path.matchesRe2("(?=a)")', 'invalid or unsupported'],
    ['action.http.path.matchesRe2("((a{100}){100}){100}")', 'invalid repeat count'],
    ['action.http.path.matchesRe2(action.http.json.pattern)', 'not a text literal'],
  ])('the pattern in %s is refused', (when, said) => {
    expect(mistakesIn(policy(when))).toContain(said)
  })

  const list = 'action.http.json.list'
  test.each([
    ['a walk over a list for each of its items', `${list}.all(x, ${list}.exists(y, y == x))`],
    ['a search in a list for each of its items', `${list}.all(x, x in ${list})`],
    ['the same in disguise', `${list}.map(x, ${list}).all(l, l.all(x, x == 1))`],
    ['the same through a loop between', `${list}.all(x, x.l.all(y, x.l.exists(z, z == y)))`],
    ['a function over another field', `${list}.all(x, ${list}.size() > 1)`],
    ['a loop that hides another’s variable', `${list}.all(x, x.l.all(x, x == 1))`],
    ['a loop that hides the action', `${list}.all(action, action == 1)`],
  ])('%s is refused', (_, when) => {
    expect(mistakesIn(policy(when))).not.toBe('no mistakes')
  })

  test.each([
    ['loops into the items of loops', `${list}.all(x, x.tags.all(t, t != ""))`],
    ['comparisons with another field', `${list}.all(x, x.owner == action.http.json.owner)`],
    ['searches in what the credential says', `${list}.all(x, x in subject.groups)`],
    ['loops over a list in the rule', `["ssn", "email"].exists(c, c in ${list})`],
    ['loops over what the credential says', `subject.groups.exists(g, g in ${list})`],
    ['has()', `${list}.all(x, has(action.http.json.owner))`],
  ])('%s are fine', (_, when) => {
    expect(mistakesIn(policy(when))).toBe('no mistakes')
  })

  test('a condition has its limits', () => {
    const long = Array(300).fill('action.http.method == "x"').join(' || ')
    expect(mistakesIn(policy(long))).toContain('longer than 4096 characters')
    expect(mistakesIn(policy(Array(300).fill('true').join(' || ')))).toContain('maxAstNodes')
    expect(mistakesIn(policy(`${'('.repeat(30)}true${')'.repeat(30)}`))).toContain('maxDepth')
    const deep = '[1].all(a, [1].all(b, [1].all(c, [1].all(d, d == 1))))'
    expect(mistakesIn(policy(deep))).toContain('nested more than 3 deep')
  })
})

test('policies say which bodies have to be read', () => {
  const needs = (keys: string) =>
    compile(`rules:\n  - { name: r, on: crm, then: deny, ${keys} }`).needs('crm').body
  expect(needs('what: { http: { method: GET } }')).toBe(false)
  expect(needs("when: 'action.http.path == subject.subject'")).toBe(false)
  expect(needs('what: { http: { json: { a: 1 } } }')).toBe(true)
  expect(needs("when: 'action.http.json.a == 1'")).toBe(true)
  expect(needs(`when: 'action["http"]["json"].a == 1'`)).toBe(true)
  expect(needs("when: 'has(action.http.json)'")).toBe(true)
  expect(needs("when: '[1].all(x, action.http.json == x)'")).toBe(true)
  expect(compile('rules: []').needs('crm')).toEqual({
    body: false,
    columns: false,
    facts: [],
    usage: [],
  })
})
