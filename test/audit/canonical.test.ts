import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonical } from '../../src/audit/canonical.ts'
import type { JsonObject } from '../../src/core/json.ts'

/** What can be recorded: any JSON object whose texts are well-formed and without NUL. */
const text = fc.string({ unit: 'grapheme' }).filter((it) => it.isWellFormed() && !it.includes('\0'))
const key = fc.oneof(
  text,
  fc.nat({ max: 20 }).map(String),
  fc.constantFrom('__proto__', 'é', '\u{1f600}', '\uffff'),
)
const json = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 6 }) as fc.Arbitrary<JsonObject>,
})).object

test('is what another implementation of RFC 8785 gives, for any object', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(canonical(value)).toBe(canonicalize(value))
    }),
  )
})

test('however many keys there are', () => {
  const many = fc.dictionary(key, fc.constant(1), { minKeys: 25, maxKeys: 60 })
  fc.assert(
    fc.property(many, (value) => {
      expect(canonical(value)).toBe(canonicalize(value))
    }),
  )
})

test('comes out the same when it is read back', () => {
  fc.assert(
    fc.property(json, (value) => {
      const once = canonical(value)
      expect(canonical(JSON.parse(once) as JsonObject)).toBe(once)
    }),
  )
})

test.each([
  ['{"a":"\\\\u0000"}', 'a backslash before u0000'],
  ['{"a":"\\\\\\\\ud800"}', 'two backslashes before ud800'],
  ['{"a":"\\u0001"}', 'another control character'],
])('takes %s: %s is not what it looks like', (line) => {
  expect(canonical(JSON.parse(line) as JsonObject)).toBe(line)
})

test.each<JsonObject>([
  { a: '\0' },
  { '\0': 1 },
  { a: ['\\\0'] },
  { a: '\ud83d' },
  { a: '\ude00\ud83d' },
  { a: NaN },
  { 1: NaN },
  { 1: '\ud800' },
])('refuses %j', (value) => {
  expect(() => canonical(value)).toThrow(expect.objectContaining({ code: 'bad-request' }))
})
