import { afterEach, expect, it, vi } from 'vitest'
import { FewASecond } from '../../src/core/few-a-second.ts'

afterEach(() => vi.useRealTimers())

it('lets so many a second pass, and says with the next one how many were left out', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const few = new FewASecond(2)
  const tries = (count: number) => Array.from({ length: count }, () => few.pass())
  expect(tries(5)).toEqual([0, 0, null, null, null])
  vi.advanceTimersByTime(1_000)
  expect(tries(3)).toEqual([3, 0, null])
  vi.advanceTimersByTime(1_000)
  expect(tries(1)).toEqual([1])
})
