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

test('a line of csv is what a library for it writes, formulas and all', () => {
  fc.assert(
    fc.property(fc.string({ unit: character }), fc.string({ unit: character }), (one, other) => {
      const body = { resource: one, rules: [other], type: other }
      const row: EventRow = {
        id: '019a0000-0000-7000-8000-000000000000',
        body: Buffer.from(JSON.stringify(body)),
        personal: null,
        salt: null,
        replica: null,
        epoch: null,
        n: null,
        prev: null,
        hash: null,
      }
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
