import { expect, test } from 'vitest'
import { eventId } from '../../src/audit/event-id.ts'

test('ids sort in the order in which they were made, however many within a millisecond', () => {
  const ids = Array.from({ length: 50_000 }, () => eventId())
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids)).toHaveLength(ids.length)
  for (const id of ids.slice(-10)) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})
