import { expect, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { runPolicyTests } from '../../src/policy/test-runner.ts'
import { compile } from './support.ts'

const policies = compile(`
rules:
  - { name: reads, on: crm, who: { group: agents }, what: { http: { method: GET } }, then: allow }
  - { name: bulk, on: orders-db, when: impact.rows > 100, then: deny, reason: BULK }
  - { name: sql, on: orders-db, what: { sql: { verb: select } }, then: allow }
`)

const run = (text: string) =>
  runPolicyTests([{ file: 'policies/a.test.yaml', text }], policies).map(
    ({ file, line, name, passed, differences }) =>
      `${file}:${line} ${name}: ${passed ? 'passed' : differences.join('; ')}`,
  )

test('each test gets its decision, or is told what is otherwise', () => {
  expect(
    run(`
subjects:
  bot: { groups: [agents], owner: priya }
  maria: { kind: human, subject: m-17, chain: [{ issuer: https://x, subject: y }, z] }
tests:
  - name: reads pass
    subject: bot
    on: crm
    http: { method: GET, path: / }
    decision: allow
    rules: reads
    reason: rule-allowed
  - name: others do not
    subject: maria
    on: crm
    http: { method: GET, path: / }
    decision: allow
    rules: [reads]
    reason: rule-allowed
  - name: bulk
    subject: bot
    on: orders-db
    sql: { verb: [select] }
    facts: { impact: { rows: 101 } }
    decision: deny
    reason: BULK
  - { name: blind, subject: bot, on: crm, unknown: http.method, decision: deny }
`),
  ).toEqual([
    'policies/a.test.yaml:6 reads pass: passed',
    'policies/a.test.yaml:13 others do not: the decision is deny, not allow; the rules are none, not reads; the reason is no-rule-matched, not rule-allowed',
    'policies/a.test.yaml:20 bulk: passed',
    'policies/a.test.yaml:27 blind: passed',
  ])
})

test('a test that would be about nothing is a mistake', () => {
  const said = (() => {
    try {
      return run(`
subjects: { bot: {} }
tests:
  - { name: a, subject: bott, on: crm, http: { method: GET }, decision: deny }
  - { name: b, subject: bot, on: cmr, http: { methd: GET }, unknown: http.jsn, decision: deny }
  - { name: c, subject: bot, on: crm, decision: denied, reasons: x, reason: no-rule }
`)
    } catch (error) {
      if (error instanceof MistakesError) return error.message
      throw error
    }
  })()
  expect(said).toContain('policies/a.test.yaml:6:49  tests[2].decision is not valid')
  expect(said).toContain('tests[2] has no key "reasons"')
  expect(said).toContain('no-rule-matched')

  expect(() =>
    run(`
subjects: { bot: {} }
tests:
  - { name: a, subject: bott, on: crm, http: { method: GET }, decision: deny }
`),
  ).toThrow('There is no subject "bott"')
  expect(() =>
    run(`
subjects: { bot: {} }
tests:
  - { name: b, subject: bot, on: cmr, http: { methd: GET }, unknown: http.jsn, decision: deny }
`),
  ).toThrow(/no resource "cmr"[^]*no attribute "http.methd"[^]*no attribute "http.jsn"/)
})
