import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { DatabaseClock } from '../../src/audit/clock.ts'

const hour = 3_600_000

test('the clock is the one of the database, however wrong the one here is', () => {
  const clock = new DatabaseClock()
  const sent = performance.now()
  const database = Date.now() + hour
  clock.correct(database, sent)
  expect(clock.now()).toBeGreaterThanOrEqual(database - 1)
})

test('an answer that was long underway changes nothing that agrees with it', () => {
  const clock = new DatabaseClock()
  const before = clock.now()
  // The database read its clock at some time during ten seconds: just before the answer came, or just after it was asked.
  clock.correct(Date.now() - 9_000, performance.now() - 10_000)
  expect(clock.now() - before).toBeLessThan(1_000)
})

test('time does not go back by the error of an estimate, and does when the database was set back', () => {
  const clock = new DatabaseClock()
  const first = clock.now()
  clock.correct(first - 500, performance.now())
  expect(clock.now()).toBeGreaterThanOrEqual(first)
  clock.correct(first - hour, performance.now())
  expect(clock.now()).toBeLessThan(first - hour / 2)
})
