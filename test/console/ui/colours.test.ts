import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Row } from '../../../src/console/ui/text/rows.ts'
import { sqlRows } from '../../../src/console/ui/text/sql.ts'
import { yamlRows } from '../../../src/console/ui/text/yaml.ts'

const joined = (rows: readonly Row[]) =>
  rows.map(({ tokens }) => tokens.map(({ text }) => text).join('')).join('\n')

const coloured = (rows: readonly Row[]) =>
  rows.flatMap(({ tokens }) =>
    tokens.filter(({ kind }) => kind !== 'plain').map(({ kind, text }) => `${kind} ${text}`),
  )

/** Pieces that a tokenizer trips over, in any order. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...["'", '"', '--', '/*', '*/', '$$', '$a$', '\\', '\n', '#', ': ', '- ', "E'", '\r', '\t'],
        ...['select', 'name', '{', '}', '[', ',', '1e9', '$1', '\u202E', '\u0000', '😀', '\ud800'],
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(''))

test('class 24, deceiving the approver: colours never change a statement', () => {
  fc.assert(fc.property(hostile, (text) => joined(sqlRows(text)) === text))
})

test('class 24, deceiving the approver: colours never change a policy', () => {
  fc.assert(fc.property(hostile, (text) => joined(yamlRows(text)) === text))
})

test('a long hostile text is coloured in no time worth naming', () => {
  // Would take for ever if a pattern looked again and again at what it had seen.
  for (const piece of ["'", '$a$', '/*', '  ', '- ', "\\'", 'a:', '{,', '$1$2']) {
    const text = piece.repeat(20_000)
    expect(joined(sqlRows(text))).toBe(text)
    expect(joined(yamlRows(text))).toBe(text)
  }
})

describe('SQL', () => {
  test.each<[string, string[]]>([
    ['SELECT id FROM orders', ['word SELECT', 'word FROM']],
    [
      "update t set a = 'it''s' where b = $1",
      ['word update', 'word set', "string 'it''s'", 'word where', 'number $1'],
    ],
    ['select "Odd ""name"""', ['word select', 'key "Odd ""name"""']],
    ['do $x$ delete from a $x$', ['word do', 'string $x$ delete from a $x$']],
    ['select 1 -- drop table a', ['word select', 'number 1', 'comment -- drop table a']],
    ['/* select */ x', ['comment /* select */']],
    ["select 'open", ['word select', "string 'open"]],
  ])('%s', (text, tokens) => {
    expect(coloured(sqlRows(text))).toEqual(tokens)
  })

  test('keeps its lines, also inside a token', () => {
    const rows = sqlRows("select 'a\nb',\n1")
    expect(rows.map(({ label }) => label)).toEqual(['1', '2', '3'])
    expect(coloured(rows)).toEqual(['word select', "string 'a", "string b'", 'number 1'])
  })
})

test('YAML: keys, words, numbers, quotes and comments', () => {
  expect(
    coloured(yamlRows("- name: a-b # why\n  then: hold\n  quorum: 2\n  who: { group: 'x' }")),
  ).toEqual([
    'key name',
    'comment # why',
    'key then',
    'word hold',
    'key quorum',
    'number 2',
    'key who',
    'key group',
    "string 'x'",
  ])
})
