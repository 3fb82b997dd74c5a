import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonText } from '../../src/cli/json-text.ts'

// Class 24 and 25: JSON on a terminal is text that an agent wrote, too.

test('an escape sequence in JSON is none', () => {
  const said = { reason: 'a\u009b2J\u202eb', tag: '\u{e0041}' }
  expect(jsonText(said)).toBe('{"reason":"a\\u009b2J\\u202eb","tag":"\\udb40\\udc41"}')
})

test('it is the same value, on as many lines, and nothing in it acts on a terminal', () => {
  const value = fc.jsonValue({ stringUnit: 'binary' })
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2), (said, indent) => {
      const text = jsonText(said, indent)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(said)))
      expect(text.split('\n')).toHaveLength(JSON.stringify(said, null, indent).split('\n').length)
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    }),
  )
})
