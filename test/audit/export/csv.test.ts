import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvHead, csvLine } from '../../../src/audit/export/csv.ts'
import type { EventRow } from '../../../src/audit/exported.ts'

const character = fc.constantFrom(
  'a',
  '"',
  ',',
  "'",
  '=',
  '-',
  '+',
  '@',
  '＝',
  '＋',
  '－',
  '＠',
  ' ',
)

const rowOf = (body: object): EventRow => ({
  id: '019a0000-0000-7000-8000-000000000000',
  body: Buffer.from(JSON.stringify(body)),
  personal: null,
  salt: null,
  replica: null,
  epoch: null,
  n: null,
  prev: null,
  hash: null,
})

test('a line of csv is what a library for it writes, formulas and all', () => {
  fc.assert(
    fc.property(fc.string({ unit: character }), fc.string({ unit: character }), (one, other) => {
      const body = { resource: one, rules: [other], type: other }
      const row = rowOf(body)
      const cells = csvHead.split(',').map((column) => {
        if (column === 'id') return row.id
        if (column === 'rules') return JSON.stringify([other])
        return Object.hasOwn(body, column) ? body[column as 'resource' | 'type'] : ''
      })
      expect(csvLine(row)).toBe(stringify([cells], { escape_formulas: true, eof: false }))
    }),
    { numRuns: 2_000 },
  )
})

test('behind a semicolon, which begins a cell in many countries, there is no formula either', () => {
  const line = csvLine(rowOf({ resource: '/a;=1+1;@x', type: 't', rules: ['r;-1'] }))
  expect(line).toContain(`,/a;'=1+1;'@x,`)
  expect(line).toContain(`"[""r;'-1""]"`)
})
