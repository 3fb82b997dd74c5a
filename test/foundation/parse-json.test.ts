import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../src/core/parse-json.ts'

/** After texts with these keys, V8 13.6 expects the second one behind the first. */
function expecting(first: string, second: string): void {
  for (let time = 0; time < 3; time++) JSON.parse(JSON.stringify({ [first]: 1, [second]: 2 }))
}

describe('JSON is read as it is written', () => {
  test.each([
    ['admi\\', String.raw`{"name":1,"admi\u006e":true}`, 'admin'],
    ['x\\', String.raw`{"name":1,"x\"":true}`, 'x"'],
    ['\\', String.raw`{"name":1,"\u0061":true}`, 'a'],
    ['\\n', String.raw`{"name":1,"\n\n":true}`, '\n\n'],
    ['a\\', String.raw`{"name":1,"a\\":true}`, 'a\\'],
  ])('whatever was read before: %j, then %s', (before, text, key) => {
    expecting('name', before)
    expect(Object.entries(parseJson(text) as object)).toEqual([
      ['name', 1],
      [key, true],
    ])
  })

  test('and any value survives, in its order, with any keys', () => {
    const piece = fc.constantFrom('\\', '"', 'x', 'a', '\n', 'é', '__proto__', '7', ':', ',', '{')
    const key = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(''))
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(key, fc.integer(), fc.constant(null), fc.boolean()),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    })).value
    fc.assert(
      fc.property(value, (given) => {
        const text = JSON.stringify(given)
        expect(JSON.stringify(parseJson(text))).toBe(text)
      }),
      { numRuns: 2_000 },
    )
  })

  test('what is no JSON is no JSON', () => {
    for (const text of ['', '{"a\\":1}', '{"a\\\\":1,}', '{"a\\\\"\u00a0:1}']) {
      expect(() => parseJson(text)).toThrow(SyntaxError)
    }
  })
})
