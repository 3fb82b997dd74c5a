import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { showValue } from '../../src/cli/show-value.ts'
import type { JsonValue } from '../../src/core/json.ts'
import { visible, visibleLines } from '../../src/core/visible.ts'

describe('lies in the loop: what an agent sends cannot deceive the approver', () => {
  test.each([
    ['an escape sequence that clears the screen', 'a\u001b[2Jb', 'a⟨U+001B⟩[2Jb'],
    ['the one-byte form of the same', 'a\u009b2Jb', 'a⟨U+009B⟩2Jb'],
    ['a carriage return that overwrites the line', 'DROP\rSELECT', 'DROP⟨U+000D⟩SELECT'],
    ['a backspace', 'ab\bc', 'ab⟨U+0008⟩c'],
    ['a bidirectional override', 'a\u202etxt.exe', 'a⟨U+202E⟩txt.exe'],
    ['a bidirectional isolate', 'a\u2066b', 'a⟨U+2066⟩b'],
    ['a zero-width space', 'pass\u200bword', 'pass⟨U+200B⟩word'],
    ['a filler that is a letter', 'a\u3164b', 'a⟨U+3164⟩b'],
    ['a tag that spells invisible text', 'a\u{e0041}b', 'a⟨U+E0041⟩b'],
    ['a blank that is none', 'a\u00a0b', 'a⟨U+00A0⟩b'],
    ['a line separator', 'a\u2028b', 'a⟨U+2028⟩b'],
    ['half a character', 'a\ud800b', 'a⟨U+D800⟩b'],
    ['a letter under a tower of marks', 'a\u0301\u0301\u0301\u0301', 'a\u0301\u0301\u0301⟨U+0301⟩'],
    ['a NUL', 'a\0b', 'a⟨U+0000⟩b'],
  ])('%s is shown', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  test('what people write stays what it is', () => {
    const text = 'Größe: 5 € → 日本語, العربية, naïve 👍 "quoted" \\ and <b>bold</b>'
    expect(visible(text)).toBe(text)
  })

  test('no text whatever reaches the terminal with a control character in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        expect(visibleLines(text)).toHaveLength(text.split('\n').length)
      }),
    )
  })

  test('text of several lines cannot look like a line of ours', () => {
    const body = 'hello\nrisk        low\n'
    expect(showValue({ method: 'POST', body })).toEqual([
      '  method: POST',
      '  body:',
      '    │ hello',
      '    │ risk        low',
      '    │ ',
    ])
  })

  test('text that looks like something else is quoted', () => {
    expect(
      showValue({ a: 5, b: '5', c: true, d: 'true', e: '', f: null, g: ' x', h: '│ x' }),
    ).toEqual([
      '  a: 5',
      '  b: "5"',
      '  c: true',
      '  d: "true"',
      '  e: ""',
      '  f: null',
      '  g: " x"',
      '  h: "│ x"',
    ])
  })

  test('headers are shown as headers, and only they', () => {
    const headers: JsonValue = [
      { name: 'accept', value: '*/*' },
      { name: 'x', value: 'a\nb' },
      { name: 'y', value: '', z: 1 },
    ]
    expect(showValue(headers)).toEqual([
      '  - accept: */*',
      '  -',
      '    name: x',
      '    value:',
      '      │ a',
      '      │ b',
      '  -',
      '    name: y',
      '    value: ""',
      '    z: 1',
    ])
  })

  test('lists and nested values are all there', () => {
    expect(showValue({ to: ['a', { b: [] }], 'x\u001b': {} })).toEqual([
      '  to:',
      '    - a',
      '    -',
      '      b: []',
      '  x⟨U+001B⟩: {}',
    ])
  })
})
