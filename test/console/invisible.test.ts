import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pieces, visible } from '../../src/console/ui/text/invisible.ts'

describe('class 24, deceiving the approver: what would not be seen is marked', () => {
  test.each([
    ['a right-to-left override', 'photo\u202Egpj.exe', 'photo⟨U+202E⟩gpj.exe'],
    ['an isolate', 'a\u2066b\u2069', 'a⟨U+2066⟩b⟨U+2069⟩'],
    ['direction marks', '\u200E\u200F\u061C', '⟨U+200E⟩⟨U+200F⟩⟨U+061C⟩'],
    ['a zero-width space', 'pay\u200Bpal', 'pay⟨U+200B⟩pal'],
    ['a soft hyphen', 'ad\u00ADmin', 'ad⟨U+00AD⟩min'],
    ['letters as tags', 'ok\u{E0061}\u{E0062}', 'ok⟨U+E0061⟩⟨U+E0062⟩'],
    ['a filler that looks empty', 'a\u3164b', 'a⟨U+3164⟩b'],
    ['a blank pattern of Braille', 'a\u2800b', 'a⟨U+2800⟩b'],
    ['a blank that is none', 'a\u00A0b', 'a⟨U+00A0⟩b'],
    ['an escape sequence', '\u001b[2J', '⟨U+001B⟩[2J'],
    ['a line that would end', 'one\r\ntwo', 'one⟨U+000D⟩⟨U+000A⟩two'],
    ['a NUL', 'a\0b', 'a⟨U+0000⟩b'],
    ['half a character', 'a\ud800b', 'a⟨U+D800⟩b'],
    ['a tower of marks', 'a' + '\u0301'.repeat(6), 'a\u0301\u0301\u0301⟨U+0301 ×3⟩'],
    ['many in a row', 'a' + '\u200B'.repeat(40) + 'b', 'a⟨U+200B ×40⟩b'],
  ])('%s', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  test('what people write stays as it is', () => {
    const text = 'Überweisung an Ødegård: 100 € — ありがとう, שלום, cliché, 🙂'
    expect(pieces(text)).toEqual([{ kind: 'text', text }])
  })

  test('marks are not text: writing ⟨U+202E⟩ out does not make one', () => {
    expect(pieces('⟨U+202E⟩')).toEqual([{ kind: 'text', text: '⟨U+202E⟩' }])
  })

  test('whatever the text, nothing invisible is left in it, and nothing visible is lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const shown = pieces(text).flatMap((piece) => (piece.kind === 'text' ? [piece.text] : []))
        expect(shown.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/u)
        // What is not marked stands in the original, in this order.
        let from = 0
        for (const stretch of shown) {
          const at = text.indexOf(stretch, from)
          if (at < 0) expect.fail(`${JSON.stringify(stretch)} is not in what is left of the text`)
          from = at + stretch.length
        }
      }),
    )
  })
})
