import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64, hexRows } from '../../src/console/ui/text/bytes.ts'
import { formatJson } from '../../src/console/ui/text/json.ts'
import { parts, textRows, type Row } from '../../src/console/ui/text/rows.ts'

const lineOf = ({ tokens }: Row) => tokens.map(({ text }) => text).join('')
const linesOf = (rows: readonly Row[]) => rows.map(lineOf)

describe('JSON on lines of its own', () => {
  test('is indented, and says what is what', () => {
    const { rows, duplicates } = formatJson('{"a":[1,{"b":null}],"c":{},"d":"x, y: {z}"}')!
    expect(linesOf(rows)).toEqual([
      '{',
      '  "a": [',
      '    1,',
      '    {',
      '      "b": null',
      '    }',
      '  ],',
      '  "c": {},',
      '  "d": "x, y: {z}"',
      '}',
    ])
    expect(rows[8]!.tokens.map(({ kind }) => kind)).toEqual([
      'plain',
      'key',
      'punctuation',
      'string',
    ])
    expect(duplicates).toEqual([])
  })

  test.each([['42'], ['"text"'], ['[]'], [' {} '], ['true']])('%s stands on one line', (text) => {
    expect(linesOf(formatJson(text)!.rows)).toEqual([text.trim()])
  })

  test('class 24: how a number and a string are written is shown as it was sent', () => {
    const text = '{"n":12345678901234567890,"e":1E+2,"z":-0,"s":"\\u202e\\u0061"}'
    expect(linesOf(formatJson(text)!.rows).slice(1, -1)).toEqual([
      '  "n": 12345678901234567890,',
      '  "e": 1E+2,',
      '  "z": -0,',
      '  "s": "\\u202e\\u0061"',
    ])
  })

  test('class 9: a name that stands twice in one object is found, however it is written', () => {
    expect(formatJson('{"role":1,"r\\u006fle":2,"x":{"role":3}}')!.duplicates).toEqual(['role'])
    expect(formatJson('[{"a":1},{"a":2}]')!.duplicates).toEqual([])
  })

  test.each([['{"a":1'], ['{a:1}'], ['not json'], [''], ['[1,]'], ['{"a":1} {"b":2}']])(
    '%s is not JSON',
    (text) => {
      expect(formatJson(text)).toBeNull()
    },
  )

  test('what is nested too deeply to be indented is left to the raw view', () => {
    expect(formatJson('['.repeat(65) + ']'.repeat(65))).toBeNull()
    expect(formatJson('['.repeat(20_000) + ']'.repeat(20_000))).toBeNull()
  })

  test('a string of a megabyte is one token', () => {
    const long = `"${'x\\n'.repeat(350_000)}"`
    expect(formatJson(`[${long}]`)!.rows[1]!.tokens[1]).toEqual({ kind: 'string', text: long })
  })

  test('whatever the JSON, only blanks between its tokens are ours', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 0, max: 3 }), (json, indent) => {
        const compact = JSON.stringify(JSON.parse(json))
        const rows = formatJson(JSON.stringify(JSON.parse(json), null, indent))?.rows
        if (!rows) return
        const tokens = rows.flatMap((row) => row.tokens.filter(({ kind }) => kind !== 'plain'))
        expect(tokens.map(({ text }) => (text === ': ' ? ':' : text)).join('')).toBe(compact)
      }),
    )
  })
})

describe('bytes', () => {
  test('are shown with offset and what of them is printable', () => {
    const rows = hexRows(new TextEncoder().encode('GET /\r\n\u00e9!'), 8)
    expect(rows.map((row) => `${row.label}  ${lineOf(row)}`)).toEqual([
      '00000000  47 45 54 20 2f 0d 0a c3  GET /···',
      '00000008  a9 21                    ·!',
    ])
  })

  test('come out of base64 as they went in, and anything else is refused', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(fromBase64(Buffer.from(bytes).toString('base64'))).toEqual(bytes)
    expect(() => fromBase64('not base64!')).toThrow()
  })
})

describe('a long payload in parts', () => {
  test('only a line feed ends a line', () => {
    expect(linesOf(textRows('a\r\nb\u2028c\n'))).toEqual(['a\r', 'b\u2028c', ''])
  })

  test('a thousand lines are five parts', () => {
    const all = parts(textRows(Array.from({ length: 1_000 }, (_, i) => `line ${i}`).join('\n')))
    expect(all.map((part) => part.length)).toEqual([200, 200, 200, 200, 200])
  })

  test('one long line goes on in rows without a number, and never inside a character', () => {
    const rows = parts(textRows('🙂'.repeat(10_000))).flat()
    expect(rows.length).toBeGreaterThan(9)
    expect(rows.slice(1).every(({ label }) => label === '')).toBe(true)
    expect(rows.map(lineOf).every((line) => line.isWellFormed())).toBe(true)
  })

  test('class 24, truncation: whatever the length, nothing is left out', () => {
    const text = fc
      .array(
        fc.tuple(fc.string({ unit: 'binary', maxLength: 9 }), fc.integer({ min: 0, max: 2_000 })),
      )
      .map((runs) => runs.map(([unit, times]) => unit.repeat(times)).join('\n'))
    fc.assert(
      fc.property(text, (sent) => {
        const all = parts(textRows(sent))
        const shown = all
          .flat()
          .map((row, i) => (row.label !== '' && i > 0 ? '\n' : '') + lineOf(row))
          .join('')
        expect(shown === sent).toBe(true)
        for (const part of all) expect(part.length).toBeLessThanOrEqual(200)
      }),
      { numRuns: 50 },
    )
  })
})
