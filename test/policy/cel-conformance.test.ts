import {
  getConformanceSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js'
import { describe, expect, test } from 'vitest'
import { ExpressionCompiler } from '../../src/policy/cel/expression.ts'
import { Input } from '../../src/policy/input.ts'
import { action } from './support.ts'

type Case = IncrementalTest['original']
type Matcher = Case['resultMatcher']
type Value = Extract<Matcher, { case: 'value' }>['value']

/**
 * CEL's own cases (github.com/google/cel-spec, tests/simple). A condition is a part of CEL on purpose, so many are refused when the policy is
 * loaded, which everybody sees. What must not be is a condition that is loaded and means something else here: a deny rule that never denies.
 */
const differ: ReadonlyMap<string, string> = new Map([
  ['fields/qualified_identifier_resolution/map_key_null', 'a map may have the key null'],
  ['string_ext/ascii_casing/lowerascii_unicode', 'other letters than ASCII change, too'],
  ['string_ext/ascii_casing/lowerascii_unicode_with_space', 'the same'],
  ['string_ext/ascii_casing/upperascii_unicode', 'the same'],
  ['string_ext/trim/unicode_space_chars_1', 'white space is what JavaScript takes for it'],
  ['string_ext/trim/unicode_no_trim', 'the same'],
])

/** Cases with variables of their own, with protocol buffers, or with a result that has no literal, such as a type or infinity. */
const unsayable = Symbol('unsayable')

const conditions = [...casesOf(getConformanceSuite())]
  .map(({ name, original }) => ({ name, ...conditionOf(original) }))
  .filter(({ expected }) => expected !== unsayable)

describe("CEL's official cases", () => {
  test('have not become fewer', () => {
    expect(conditions.length).toBeGreaterThan(1_800)
    expect(
      conditions.filter(({ condition }) => answer(condition) !== 'refused').length,
    ).toBeGreaterThan(500)
  })

  test('either are refused when a policy is loaded, or fail, or get the answer of the specification', () => {
    const others = conditions
      .filter(({ name }) => !differ.has(name))
      .map(({ name, condition, expected }) => ({
        name,
        condition,
        expected,
        got: answer(condition),
      }))
      .filter(({ got, expected }) => typeof got === 'boolean' && got !== expected)
    expect(others).toEqual([])
  })

  test.each([...differ])('%s: %s', (name) => {
    const { condition, expected } = conditions.find((one) => one.name === name)!
    expect(answer(condition)).not.toBe(expected)
  })
})

const compiler = new ExpressionCompiler()
const input = new Input(action({ http: { method: 'GET', path: '/' } }), {})

function answer(condition: string): boolean | 'refused' | 'failed' {
  const compiled = compiler.compile(condition, {
    namespaces: ['http'],
    facts: [],
    parameters: null as never,
  })
  if (!('evaluate' in compiled)) return 'refused'
  try {
    return compiled.evaluate(input)
  } catch {
    // An allow rule does not match then, and any other denies.
    return 'failed'
  }
}

function* casesOf(suite: IncrementalTestSuite, path = ''): Generator<IncrementalTest> {
  for (const one of suite.tests) yield { ...one, name: `${path}${one.name}` }
  for (const inner of suite.suites) yield* casesOf(inner, `${path}${inner.name}/`)
}

/** A condition is true or false, so that whatever a case is about is compared with what it has to be. */
function conditionOf({ expr, bindings, resultMatcher }: Case): {
  condition: string
  expected: boolean | 'failed' | typeof unsayable
} {
  const expected = resultOf(resultMatcher)
  if (Object.keys(bindings).length > 0 || expected === unsayable) {
    return { condition: expr, expected: unsayable }
  }
  if (typeof expected !== 'string') return { condition: expr, expected }
  return expected === 'failed'
    ? { condition: expr, expected }
    : { condition: `(${expr}) == ${expected}`, expected: true }
}

/** A boolean, `failed`, or the literal of anything else. */
function resultOf(matcher: Matcher): boolean | string | typeof unsayable {
  if (matcher.case === 'evalError') return 'failed'
  // Left out, it is `true`: `simple.proto`.
  if (matcher.case === undefined) return true
  if (matcher.case !== 'value') return unsayable
  const { kind } = matcher.value
  return kind.case === 'boolValue' ? kind.value : (literal(matcher.value) ?? unsayable)
}

function literal({ kind }: Value): string | null {
  switch (kind.case) {
    case 'nullValue':
      return 'null'
    case 'boolValue':
    case 'int64Value':
      return String(kind.value)
    case 'uint64Value':
      return `${kind.value}u`
    case 'doubleValue':
      return double(kind.value)
    case 'stringValue':
      return JSON.stringify(kind.value)
    case 'listValue': {
      const items = kind.value.values.map(literal)
      return items.includes(null) ? null : `[${items.join(', ')}]`
    }
    case 'mapValue': {
      const entries = kind.value.entries.map(({ key, value }) => [literal(key!), literal(value!)])
      if (entries.flat().includes(null)) return null
      return `{${entries.map((entry) => entry.join(': ')).join(', ')}}`
    }
    default:
      return null
  }
}

function double(value: number): string | null {
  if (!Number.isFinite(value)) return null
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}
