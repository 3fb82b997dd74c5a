import { hash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../../support/audit.ts'
import { sallyport } from '../../support/terminal.ts'
import { filesIn, linesIn, newFolder, Scene } from './scene.ts'

test('a folder has each event once, in order, in files of so many, each of which verifies', async () => {
  const scene = await Scene.open()
  const folder = newFolder()
  await scene.grow(25)
  await scene.deliver({ folder, max_events: 10 })
  await scene.delivered()
  await scene.grow(3)
  await scene.delivered()

  expect(linesIn(folder)).toEqual(await scene.log())
  const spans = filesIn(folder).map((name) => name.split('-').slice(2, 4).map(Number))
  expect(spans.map(([first]) => first)).toEqual([
    scene.first,
    ...spans.slice(0, -1).map(([, end]) => end),
  ])
  for (const [first, end] of spans) expect(end! - first!).toBeLessThanOrEqual(10)
  expect(scene.attempts.every(({ delivered }) => delivered)).toBe(true)

  for (const file of filesIn(folder)) {
    const { code, notes } = await sallyport(['audit', 'verify', file], { folder })
    expect(notes).toContain('These are the events of the log of')
    expect(code).toBe(0)
    const manifest = readFileSync(join(folder, file.replace(/\.gz$/, '.manifest.json')), 'utf8')
    const [first, end] = file.split('-').slice(2, 4).map(Number)
    const sha256 = hash('sha256', readFileSync(join(folder, file)))
    expect(JSON.parse(manifest)).toMatchObject({ first, end, count: end! - first!, sha256 })
  }
})

test('a folder that goes away, or that nobody can write to, gets everything when it is back', async () => {
  const scene = await Scene.open()
  const folder = newFolder()
  await scene.grow(3)
  await scene.deliver({ folder })
  await scene.delivered()

  renameSync(folder, `${folder}.away`)
  await scene.grow(3)
  await until(async () => (await scene.health()).failures > 1)
  expect((await scene.health()).lastError).toBe('The folder is not there (ENOENT)')
  // Nothing is made where a disk is not mounted.
  expect(existsSync(folder)).toBe(false)

  writeFileSync(folder, 'in the way')
  await until(async () => (await scene.health()).lastError?.includes('ENOTDIR') ?? false)
  rmSync(folder)
  renameSync(`${folder}.away`, folder)
  await scene.delivered()
  expect(linesIn(folder)).toEqual(await scene.log())
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
})

test('what a killed attempt left behind is cleared away, and a name that is taken is left alone', async () => {
  const scene = await Scene.open()
  const folder = newFolder()
  await scene.grow(4)
  const first = await scene.deliver({ folder, max_events: 2 })
  await scene.delivered()
  await first.stop()
  // Another directory has the name of a file: the batch cannot be there, and nothing of it is.
  const [name] = filesIn(folder)
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  mkdirSync(join(folder, name!))
  writeFileSync(join(folder, `.${name}.0.part`), 'half')
  await scene.store.query(
    `INSERT INTO sallyport.audit_deliveries (name, settings, cursor) VALUES ('again', '{}', $1)`,
    [scene.first],
  )
  await scene.deliver({ folder, max_events: 2 }, { name: 'again' })
  await until(async () => (await scene.health('again')).failures > 1)
  expect((await scene.health('again')).cursor).toBe(scene.first)
  expect(readdirSync(folder).filter((file) => file.endsWith('.part'))).toEqual([])
  rmSync(join(folder, name!), { recursive: true })
  await scene.delivered('again')
  expect(linesIn(folder)).toEqual(await scene.log('again'))
})
