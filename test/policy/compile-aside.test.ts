import { expect, test } from 'vitest'
import { compileAside } from '../../src/policy/compile-aside.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { outcome, resources } from './support.ts'

const known = { resources }

/** Some rules, in two files, of which the second one is large. */
function documents(rules: number) {
  const text = Array.from(
    { length: rules },
    (_, n) => `
  - name: team-${n}
    on: crm
    what: { http: { method: POST, path: '/v1/team-${n}/:id' } }
    when: params.id != '0' && subject.kind == 'agent'
    then: hold
    approval: { from: { group: leads-${n} }, expires: 5m }`,
  )
  return [
    {
      file: 'b.yaml',
      text: 'rules:\n  - { name: reads, on: crm, what: { http: { method: GET } }, then: allow }',
    },
    { file: 'a.yaml', text: `rules:${text.join('')}` },
  ]
}

test('what is compiled aside is the same, to the hash, and decides alike', async () => {
  const aside = await compileAside(documents(400), known)
  const here = compilePolicies(documents(400), known)
  expect(aside.hash).toBe(here.hash)
  expect(aside.documents).toEqual(here.documents)
  expect(aside.rules.map(({ file, line, name }) => [file, line, name])).toEqual(
    here.rules.map(({ file, line, name }) => [file, line, name]),
  )
  for (const [method, path, decided] of [
    ['GET', '/v1/notes', 'allow by reads'],
    ['POST', '/v1/team-7/1', 'hold by team-7'],
    ['POST', '/v1/team-7/0', 'deny by no-rule-matched'],
    ['DELETE', '/v1/team-7/1', 'deny by no-rule-matched'],
  ] as const) {
    const doing = { on: 'crm', http: { method, path } }
    expect([outcome(aside, doing), outcome(here, doing)]).toEqual([decided, decided])
  }
})

test('every mistake comes with its place, as it does otherwise', async () => {
  const wrong = documents(400).map(({ file, text }) => ({
    file,
    text: text
      .replace("when: params.id != '0'", 'when: params.nothing > 1')
      .replace('on: crm', 'on: crn'),
  }))
  const complaint = (() => {
    try {
      compilePolicies(wrong, known)
    } catch (error) {
      return String(error)
    }
    return 'none'
  })()
  expect(complaint).toMatch(/a\.yaml:\d+:\d+/)
  await expect(compileAside(wrong, known)).rejects.toThrow(
    complaint.replace(/^MistakesError: /, ''),
  )
})

test('other work is done while many rules are compiled', async () => {
  let turns = 0
  const ticking = setInterval(() => turns++, 1)
  const large = documents(1_500)
  const compiled = await compileAside(large, known)
  clearInterval(ticking)
  expect(compiled.rules).toHaveLength(1_501)
  // In one piece it would be none: nothing but turns of the loop, however slow the machine is, says that others are served.
  expect(turns).toBeGreaterThan(20)
})
