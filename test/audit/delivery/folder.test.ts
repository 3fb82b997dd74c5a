import { expect, test } from 'vitest'
import { exported } from '../../support/audit.ts'
import { filesIn, linesIn, newFolder, Scene } from './scene.ts'

test('a folder has each event once, in order, in files of so many, each under its own name', async () => {
  const scene = await Scene.open()
  const folder = newFolder()
  await scene.grow(25)
  await scene.deliver({ folder, max_events: 10 })
  await scene.delivered()
  await scene.grow(3)
  await scene.delivered()

  expect(linesIn(folder)).toEqual(await exported(scene.store))
  const spans = filesIn(folder).map((name) => name.split('-').slice(2, 4).map(Number))
  expect(spans.map(([first]) => first)).toEqual([0, ...spans.slice(0, -1).map(([, end]) => end)])
  for (const [first, end] of spans) expect(end! - first!).toBeLessThanOrEqual(10)
  expect(scene.attempts.every(({ delivered }) => delivered)).toBe(true)
})
