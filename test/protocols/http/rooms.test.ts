import { expect, test } from 'vitest'
import { Rooms } from '../../../src/protocols/http/rooms.ts'

// Class 23: what many bodies of one agent, and of all agents, may fill of the memory.

test('a subject has so much room, over all of its requests, and gets it back', () => {
  const rooms = new Rooms(10, { each: 100, all: 1000 })
  const [first, second, others] = [rooms.of('bot'), rooms.of('bot'), rooms.of('other')]
  expect(first.take(60)).toBe(true)
  expect(second.take(41)).toBe(false)
  expect(second.take(40)).toBe(true)
  expect(first.take(1)).toBe(false)
  expect(others.take(100)).toBe(true)
  first.giveBack()
  first.giveBack()
  expect(second.take(60)).toBe(true)
  expect(second.take(1)).toBe(false)
})

test('all together have so much, whoever they are', () => {
  const rooms = new Rooms(10, { each: 100, all: 150 })
  const taken = ['a', 'b', 'c'].map((subject) => rooms.of(subject).take(60))
  expect(taken).toEqual([true, true, false])
})

test('one body of the largest size always fits', () => {
  const rooms = new Rooms(500, { each: 100, all: 200 })
  expect(rooms.of('bot').take(500)).toBe(true)
})
