import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../support/audit.ts'
import { newFolder, Scene } from './scene.ts'
import { secret, Siem } from './receivers.ts'

test('once another replica delivers to another place, that place gets all that comes from then on, and the old one nothing', async () => {
  const scene = await Scene.open()
  const old = await Siem.start(scene.first)
  await scene.deliver({ webhook: { url: old.url, secret }, max_events: 3 })
  await scene.grow(5)
  await scene.delivered()

  // It is told something, and has not answered yet.
  const answers = Promise.withResolvers<number>()
  old.before = () => answers.promise
  const told = old.posts.length
  await scene.grow(3)
  await until(async () => old.posts.length > told)
  const { cursor } = await scene.health()
  const siem = await Siem.start(cursor)
  await scene.deliver({ webhook: { url: siem.url, secret }, max_events: 50 })
  answers.resolve(200)
  for (let i = 0; i < 4; i++) await scene.grow(7)
  await scene.delivered()

  expect(siem.lines).toEqual((await scene.log()).slice(cursor - scene.first))
  expect(old.posts.length).toBe(told + 1)
})

test('an hour that the clock is set back is no hour without deliveries', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  await scene.deliver({ webhook: { url: siem.url, secret } })
  await scene.grow(2)
  await scene.delivered()
  await scene.setClockBack()
  await scene.grow(2)
  await scene.delivered()
  expect(siem.lines).toEqual(await scene.log())
})

test.skipIf(process.platform === 'win32')(
  'class 23: a place that hangs takes one of the few threads that read files, however often it is tried',
  async () => {
    const ca = join(newFolder(), 'ca.pem')
    // Whoever opens it waits until somebody writes, as for a file server that does not answer.
    execFileSync('mkfifo', [ca])
    onTestFinished(() => closeSync(openSync(ca, 'r+')))
    const scene = await Scene.open()
    await scene.grow(1)
    await scene.deliver({ webhook: { url: 'https://127.0.0.1:9/', secret, ca } }, { patience: 50 })
    await until(async () => scene.attempts.length > 8)
    expect(await readFile(import.meta.filename, 'utf8')).toContain('threads')
    expect((await scene.health()).lastError).toBe('It did not answer in time')
  },
)
