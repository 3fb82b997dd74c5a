import { expect, test } from 'vitest'
import { Uncommitted } from '../../../src/protocols/postgres/uncommitted.ts'

test('class 23: a transaction that never ends takes the memory of a gateway to a limit, and leaves each neighbour its own', () => {
  const uncommitted = new Uncommitted({ most: 10, always: 2 })
  uncommitted.add(9)
  expect(uncommitted.hasRoomFor(9)).toBe(true)
  uncommitted.add(1)
  expect(uncommitted.hasRoomFor(10)).toBe(false)
  // A neighbour that has none yet.
  expect([0, 1, 2].map((own) => uncommitted.hasRoomFor(own))).toEqual([true, true, false])
  // The transaction is over.
  uncommitted.add(-10)
  expect(uncommitted.hasRoomFor(0)).toBe(true)
  expect(uncommitted.hasRoomFor(2)).toBe(true)
})
