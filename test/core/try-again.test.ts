import { expect, it } from 'vitest'
import { Nap, pauseAfter, unlessAborted } from '../../src/core/try-again.ts'

const pauses = { firstPause: 100, longestPause: 5_000 }

it('waits for longer each time, between the half and the whole of it, and never for longer than the longest', () => {
  for (const [failures, whole] of [
    [0, 100],
    [1, 200],
    [4, 1_600],
    [10, 5_000],
    [5_000, 5_000],
  ] as const) {
    const taken = Array.from({ length: 200 }, () => pauseAfter(failures, pauses))
    expect(Math.min(...taken)).toBeGreaterThanOrEqual(whole / 2)
    expect(Math.max(...taken)).toBeLessThanOrEqual(whole)
    // Those that failed together do not come back together.
    expect(new Set(taken).size).toBeGreaterThan(1)
  }
})

it('does not wait for work that overlooks its signal', async () => {
  const ended = new AbortController()
  const late = () => new Error('too late')
  const work = new Promise<never>(() => undefined)
  const waiting = unlessAborted(work, ended.signal, late)
  ended.abort()
  await expect(waiting).rejects.toThrow('too late')
  await expect(unlessAborted(work, ended.signal, late)).rejects.toThrow('too late')
  await expect(unlessAborted(Promise.resolve(7), new AbortController().signal, late)).resolves.toBe(
    7,
  )
})

it('sleeps until it is woken', async () => {
  const nap = new Nap()
  // Longer than the test may take.
  const sleeping = nap.take(1_000_000)
  nap.wake()
  await sleeping
})
