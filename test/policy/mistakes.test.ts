import { describe, expect, test } from 'vitest'
import { mistakesIn } from './support.ts'

test('all mistakes of a file come at once, each with its place and what to do', () => {
  expect(
    mistakesIn(`rules:
  - name: Refunds
    on: cmr
    what: { http: { path: v1/refunds, header: {} } }
    when: action.http.pth == 'x'
    then: hold
    aproval: { from: { group: leads } }
  - on: crm
    then: alow
`),
  ).toBe(`policies/a.yaml:2:11  rules[0].name is not valid.
    → Use lower-case letters, digits and dashes.
policies/a.yaml:3:9  There is no resource "cmr".
    → Did you mean "crm"?
policies/a.yaml:4:27  rules[0].what.http.path is not valid.
    → Write a path from the first slash on, without a query: /v1/orders/:id
policies/a.yaml:4:39  rules[0].what.http has no key "header".
    → Keys here: method, path, query, json.
policies/a.yaml:5:11  There is no \`action.http.pth\` here.
    → On the resources of this rule there are action.http.method, action.http.host, action.http.path, action.http.query, action.http.headers, action.http.json, action.http.upgrade.
policies/a.yaml:6:11  A rule that holds needs an \`approval\`.
    → Say who may approve, as in: approval: { from: { group: leads } }
policies/a.yaml:7:5  rules[0] has no key "aproval".
    → Did you mean "approval"?
policies/a.yaml:8:5  rules[1].name is missing.
    → Add it: unique over all files; it is what people and the audit log see.
policies/a.yaml:9:11  rules[1].then is not valid.
    → Write one of "allow"|"deny"|"hold"`)
})

/** One rule in one line, with these keys added. */
const rule = (keys: string, then = 'allow') =>
  `rules:\n  - { name: r, on: crm, then: ${then}, ${keys} }\n`

describe('YAML that can be read in more than one way is refused', () => {
  test.each([
    ['a key that is there twice', 'rules:\n  - { name: a, name: b, on: crm, then: deny }', '1'],
    ['broken flow', 'rules: [', 'This is not valid YAML'],
    ['two documents', 'rules: []\n---\nrules: []', 'This is not valid YAML'],
    ['a tag', 'rules: !!set []', 'This is not valid YAML'],
    ['an alias of nothing', 'rules: *x', 'no anchor'],
    ['a key that validation would lose', rule('what: { http: { json: { __proto__: x } } }'), 'key'],
    ['a key that is no text', rule('what: { http: { json: { 1: x } } }'), 'cannot be a key'],
    [
      'a number that would be rounded',
      rule('what: { http: { json: { n: 9007199254740993 } } }'),
      'n',
    ],
    ['an empty file', '', 'The file has to be a mapping'],
    ['a list', '- name: r', 'The file has to be a mapping'],
    ['no rules', 'rule: []', 'rules is missing'],
  ])('%s', (_, text, said) => {
    expect(mistakesIn(text)).toContain(said)
    expect(mistakesIn(text)).not.toBe('no mistakes')
  })

  test('aliases that unfold to more than memory holds (class 23)', () => {
    const line = (name: string, of: string) => `${name}: &${name} [${`*${of},`.repeat(9)}]`
    const bomb = ['a: &a [x]', ...'bcdefgh'.split('').map((name, i) => line(name, 'abcdefg'[i]!))]
    expect(mistakesIn(`${bomb.join('\n')}\nrules: *h`)).toContain('unfold to too much')
  })
})

describe('a hold rule and its approval', () => {
  test('belong together', () => {
    expect(mistakesIn(rule('risk: high', 'hold'))).toContain(
      'A rule that holds needs an `approval`',
    )
    expect(mistakesIn(rule('approval: { from: { group: a } }'))).toContain('has no approval')
    expect(mistakesIn(rule('approval: { from: { group: a } }', 'deny'))).toContain(
      'has no approval',
    )
    expect(mistakesIn(rule('approval: { from: { group: a } }', 'hold'))).toBe('no mistakes')
  })

  test('with a mistake in the approval, it is not missing', () => {
    expect(mistakesIn(rule('approval: { form: { group: a } }', 'hold'))).not.toContain('needs an')
  })

  test.each([
    ['nobody to approve', '{}', 'approval.from is missing'],
    ['a quorum of none', '{ from: { group: a }, quorum: 0 }', 'quorum is not valid'],
    ['half a person', '{ from: { group: a }, quorum: 1.5 }', 'quorum'],
    [
      'more people than are named, also by naming one twice',
      '{ from: { people: [{ issuer: i, subject: s }, { issuer: i, subject: s }] }, quorum: 2 }',
      '2 people cannot be found among 1',
    ],
    ['a person without an issuer', '{ from: { people: [maria] } }', 'from is not valid'],
    ['eight days', '{ from: { group: a }, expires: 8d }', 'seven days at most'],
    ['no time at all', '{ from: { group: a }, expires: 0s }', 'Write a whole number and a unit'],
    [
      'a scope that there is not',
      '{ from: { group: a }, scope: [always] }',
      'scope[0] is not valid',
    ],
    ['a session over HTTP', '{ from: { group: a }, scope: [{ session: true }] }', 'no sessions'],
    [
      'a match on nothing that there is',
      '{ from: { group: a }, scope: [{ minutes: 5, match: [sql.shape] }] }',
      'There is no attribute "sql.shape"',
    ],
    [
      'a channel that is not set up',
      '{ from: { group: a }, channels: [slack:#x] }',
      'no channel "slack:#x"',
    ],
    [
      'a glass that is there for nobody',
      '{ from: { group: a }, break_glass: {} }',
      'approval.break_glass.from is missing',
    ],
  ])('%s is a mistake', (_, approval, said) => {
    expect(mistakesIn(rule(`approval: ${approval}`, 'hold'))).toContain(said)
  })

  const withChannels = {
    resources: [{ name: 'crm', protocol: 'http', facts: [] }],
    channels: ['slack:', 'webhook:siem'],
  }

  test('a channel that is set up is none', () => {
    const text = rule(
      'approval: { from: { group: a }, channels: [console, slack:#x], remind: 2m, escalate: { after: 5m, to: [webhook:siem] } }',
      'hold',
    )
    expect(mistakesIn(text, withChannels)).toBe('no mistakes')
  })

  test.each([
    ['a chat without a place in it', 'channels: [slack]', 'no channel "slack"'],
    ['a webhook that is not set up', 'channels: [webhook:erp]', 'no channel "webhook:erp"'],
    [
      'an escalation to nowhere',
      'escalate: { after: 5m, to: [teams:ops] }',
      'no channel "teams:ops"',
    ],
    ['an escalation to nobody', 'escalate: { after: 5m, to: [] }', 'escalate.to'],
  ])('%s is a mistake', (_, keys, said) => {
    const text = rule(`approval: { from: { group: a }, ${keys} }`, 'hold')
    expect(mistakesIn(text, withChannels)).toContain(said)
  })
})

describe('an allow rule that lists columns or functions', () => {
  const allowing = (sql: string, then = 'allow') =>
    mistakesIn(`rules:\n  - { name: r, on: orders-db, then: ${then}, what: { sql: { ${sql} } } }\n`)

  test.each(['functions: [pg_catalog.md5]', 'tables: [orders], columns: [id]'])(
    'says of which statements: %s is true of DROP TABLE, too',
    (sql) => {
      expect(allowing(sql)).toContain('This allows DELETE and DROP too')
      expect(allowing(`verb: select, ${sql}`)).toBe('no mistakes')
      expect(allowing(sql, 'deny')).toBe('no mistakes')
    },
  )

  test('with neither of them, it may mean every statement', () => {
    expect(allowing('tables: [orders]')).toBe('no mistakes')
  })
})

describe('what a rule is about has to be there', () => {
  test.each([
    ['a glob that nothing fits', 'on: nothing-*', 'There is no resource "nothing-*"'],
    ['one of several', 'on: [crm, nothing]', 'There is no resource "nothing"'],
    ['SQL on an HTTP API', 'on: crm, what: { sql: { verb: select } }', 'never of the kind sql'],
    ['two kinds at once', 'on: crm, what: { http: {}, tcp: {} }', 'one kind of action'],
    ['no kind', 'on: crm, what: {}', 'one kind of action'],
    ['nobody', 'on: crm, who: {}', '`who` names nobody'],
    ['an empty list', 'on: crm, who: { group: [] }', 'who.group is not valid'],
    ['two stars in a segment', 'on: crm, what: { http: { path: /a*b* } }', 'have one `*`'],
    ['two times any depth', 'on: crm, what: { http: { path: /**/a/** } }', 'one `**` at most'],
    ['a query in a path', "on: crm, what: { http: { path: '/a?b' } }", 'without a query'],
    ['a method in small letters', 'on: crm, what: { http: { method: get } }', 'in capitals'],
    ['no fields', 'on: crm, what: { http: { json: {} } }', 'at least one field'],
  ])('%s is a mistake', (_, keys, said) => {
    const text = `rules:\n  - { name: r, ${keys}, then: deny }\n`
    expect(mistakesIn(text)).toContain(said)
  })

  test('a glob takes in the resources of the right kind', () => {
    const text = "rules:\n  - { name: r, on: '*', what: { sql: { verb: drop } }, then: deny }\n"
    expect(mistakesIn(text)).toBe('no mistakes')
  })
})

test('two rules of one name are a mistake, wherever they are', () => {
  expect(mistakesIn(`${rule('risk: low')}  - { name: r, on: crm, then: deny }`)).toContain(
    'There is another rule "r", at policies/a.yaml:2.',
  )
})
