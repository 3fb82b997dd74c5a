import { expect, test } from 'vitest'
import { eventId, firstIdAt } from '../../src/audit/event-id.ts'

const now = Date.parse('2026-11-22T01:02:03.456Z')

test('ids sort in the order in which they were made, however many within a millisecond', () => {
  const ids = Array.from({ length: 50_000 }, () => eventId(now).id)
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids)).toHaveLength(ids.length)
  for (const id of ids.slice(-10)) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

test('an id begins with its time, and follows a clock that was set back', () => {
  const hour = 3_600_000
  const { id, time } = eventId(now + hour)
  expect(time).toBe(now + hour)
  expect(id > firstIdAt(new Date(time)) && id < firstIdAt(new Date(time + 1))).toBe(true)
  expect(eventId(now - hour).time).toBe(now - hour)
})
