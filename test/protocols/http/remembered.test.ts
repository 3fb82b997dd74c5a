import { expect, test } from 'vitest'
import { remembered } from '../../../src/protocols/http/remembered.ts'

test('who makes up names fills no memory, and every name has its answer all the same', () => {
  const asked: string[] = []
  const lengthOf = remembered((name) => {
    asked.push(name)
    return name.length
  })
  const long = `x-${'x'.repeat(10_000)}`
  for (const name of [long, long]) expect(lengthOf(name)).toBe(name.length)
  expect(asked.splice(0)).toEqual([long, long])
  const madeUp = Array.from({ length: 1_200 }, (_, index) => `x-${index}`)
  for (const name of [...madeUp, ...madeUp]) expect(lengthOf(name)).toBe(name.length)
  expect(asked).toEqual([...madeUp, ...madeUp.slice(1_000)])
})

test('a name that is refused is refused each time', () => {
  const refuse = remembered((name): string => {
    throw new Error(`no ${name}`)
  })
  for (const _ of [1, 2]) expect(() => refuse('x')).toThrow('no x')
})
