import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noFacts, Input } from '../../src/policy/input.ts'
import { ExpressionCompiler } from '../../src/policy/cel/expression.ts'
import { action } from './support.ts'
import { PathParameters } from '../../src/policy/path-parameters.ts'

const pieces = [
  ...['action', 'subject', 'x', 'http', 'json', 'groups', 'has', 'size', 'all', 'exists', 'map'],
  ...['matchesRe2', 'matches', 'in', 'true', 'null', 'for', '__proto__', 'constructor', 'type'],
  ...['"a"', "'(a'", "b'x'", '1', '1u', '0x', '1.5e', '9'.repeat(30), '"\\u', "r'", '"""'],
  ...['.', ',', '(', ')', '[', ']', '{', '}', '?', ':', '!', '-', '+', '*', '/', '%', '//'],
  ...['&&', '||', '==', '!=', '<', '>=', '&', '|', '=', '\n', ' ', '😀', '\u0000', '@', '`', '\\'],
]
const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((list) => list.join(''))

const grammar = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('action.http.json', 'subject.groups', 'x', '1', '"a"', 'true', '[]', '{}'),
    fc
      .tuple(tie('expr'), fc.constantFrom('&&', '==', '<', 'in', '+'), tie('expr'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('expr').map((a) => `!${a}`),
    tie('expr').map((a) => `${a}.f`),
    fc.tuple(tie('expr'), tie('expr')).map(([a, b]) => `${a}[${b}]`),
    fc
      .tuple(tie('expr'), fc.constantFrom('all', 'exists', 'map', 'filter'), tie('expr'))
      .map(([a, loop, b]) => `${a}.${loop}(x, ${b})`),
    fc.tuple(tie('expr'), tie('expr'), tie('expr')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tie('expr').map((a) => `size(${a})`),
    tie('expr').map((a) => `has(${a})`),
  ),
})).expr

const compiler = new ExpressionCompiler()
const scope = {
  namespaces: ['http'],
  facts: [],
  parameters: new PathParameters([], 'everything'),
} as const
const bodies = fc.jsonValue({ maxDepth: 3 })

test('whatever is written, a condition compiles or its mistakes have places', () => {
  fc.assert(
    fc.property(fc.oneof(soup, grammar, fc.string()), (source) => {
      const compiled = compiler.compile(source, scope)
      if ('evaluate' in compiled) return
      expect(compiled.length).toBeGreaterThan(0)
      for (const { offset } of compiled) {
        expect(offset).toBeGreaterThanOrEqual(0)
        expect(offset).toBeLessThanOrEqual(source.length)
      }
    }),
    { numRuns: 3000 },
  )
})

test('whatever a request has, a condition says yes or no, or throws', () => {
  fc.assert(
    fc.property(grammar, bodies, (source, json) => {
      const compiled = compiler.compile(source, scope)
      if (!('evaluate' in compiled)) return
      const body = JSON.parse(JSON.stringify(json)) as null
      const input = new Input(action({ http: { json: body } }), noFacts)
      try {
        expect(compiled.evaluate(input)).toBeTypeOf('boolean')
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
    { numRuns: 2000 },
  )
})
