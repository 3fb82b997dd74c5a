import { expect, test } from 'vitest'
import { Shared } from '../../src/console/shared.ts'

test('of many who ask at once one begins, and the others share the next, which begins after they asked', async () => {
  const began: number[] = []
  const ends: ((answer: number) => void)[] = []
  const shared = new Shared(() => {
    began.push(began.length)
    return new Promise<number>((resolve) => ends.push(resolve))
  })
  const first = shared.ask()
  const others = [shared.ask(), shared.ask(), shared.ask()]
  expect(began).toHaveLength(1)
  ends[0]!(1)
  expect(await first).toBe(1)
  await Promise.resolve()
  expect(began).toHaveLength(2)
  const last = shared.ask()
  ends[1]!(2)
  expect(await Promise.all(others)).toEqual([2, 2, 2])
  await Promise.resolve()
  ends[2]!(3)
  expect(await last).toBe(3)
})

test('what fails for one is done again for those who come after', async () => {
  let tries = 0
  const shared = new Shared(async () => {
    tries += 1
    if (tries === 1) throw new Error('busy')
    return tries
  })
  const [first, second] = await Promise.allSettled([shared.ask(), shared.ask()])
  expect(first.status).toBe('rejected')
  expect(second).toEqual({ status: 'fulfilled', value: 2 })
  expect(await shared.ask()).toBe(3)
})
