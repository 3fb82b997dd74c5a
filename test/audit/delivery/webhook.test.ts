import { expect, test } from 'vitest'
import { agent, anIntent, until } from '../../support/audit.ts'
import { Scene } from './scene.ts'
import { secret, Siem } from './receivers.ts'

test('a webhook is posted each event once, in order, signed, with both indexes in the id that is signed', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  await scene.grow(12)
  await scene.deliver({ webhook: { url: siem.url, secret }, max_events: 5 })
  await scene.delivered()

  expect(siem.lines).toEqual(await scene.log())
  expect(siem.posts.every(({ end, first }) => end - first <= 5)).toBe(true)
  expect((await scene.health()).to).toBe(new URL(siem.url).origin)
})

test('a receiver that dies half way is told the same again, and has nothing twice', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  let died = 0
  // It keeps what it was told, and its thanks are lost; then it says no.
  siem.before = async ({ first }) =>
    first === scene.first + 5 && died++ < 2 ? (died === 1 ? null : 500) : 200
  await scene.grow(12)
  await scene.deliver({ webhook: { url: siem.url, secret }, max_events: 5 })
  await scene.delivered()

  expect(siem.lines).toEqual(await scene.log())
  const again = siem.posts.filter(({ first }) => first === scene.first + 5)
  expect(again).toHaveLength(3)
  expect(new Set(again.map(({ id }) => id)).size).toBe(1)
  expect(new Set(again.map(({ body }) => body)).size).toBe(1)
  expect(scene.attempts.filter(({ delivered }) => !delivered)).toHaveLength(2)
  const { failures, lastError, lastFailure } = await scene.health()
  expect({ failures, lastError }).toEqual({ failures: 0, lastError: 'It answered with status 500' })
  expect(lastFailure).not.toBeNull()
})

test('a batch that failed stays what it was, however much came meanwhile', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  let down = true
  siem.before = async () => (down ? 503 : 200)
  await scene.grow(2)
  await scene.deliver({ webhook: { url: siem.url, secret } })
  await until(async () => siem.posts.length > 0)
  await scene.grow(3)
  await until(async () => siem.posts.length > 2)
  expect((await scene.health()).failures).toBeGreaterThan(0)
  down = false
  await scene.delivered()

  const failed = siem.posts.filter(({ id }) => id === siem.posts[0]!.id)
  expect(failed.length).toBeGreaterThan(2)
  expect(siem.lines).toEqual(await scene.log())
})

test('long events end a batch, and one that is longer than all of it goes alone', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  const long = (length: number) => anIntent({ details: { summary: 'x'.repeat(length) } })
  await scene.grow([long(400_000), long(400_000), long(400_000), long(3_000_000), anIntent()])
  await scene.deliver({ webhook: { url: siem.url, secret } })
  await scene.delivered()

  expect(siem.posts.map(({ first, end }) => [first, end])).toEqual(
    siem.posts.map(({ first }, i) => [first, siem.posts[i + 1]?.first ?? siem.cursor]),
  )
  expect(siem.posts.length).toBeGreaterThan(2)
  expect(siem.lines).toEqual(await scene.log())
})

test('personal data stays here where the delivery is without it', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  await scene.grow(3)
  await scene.deliver({ webhook: { url: siem.url, secret }, personal: false })
  await scene.delivered()
  expect(siem.lines.length).toBeGreaterThanOrEqual(3)
  for (const line of siem.lines) expect(line).not.toContain(agent.subject)
})

test('from now on: a new name begins with what comes next, and the same name goes on', async () => {
  const old = await Scene.open()
  await old.grow(4)
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  const to = { webhook: { url: siem.url, secret }, from: 'now' }
  const before = await scene.deliver(to)
  await scene.grow(3)
  await scene.delivered()
  await before.stop()
  await scene.grow(2)
  await scene.deliver(to)
  await scene.delivered()

  expect(siem.lines).toEqual(await scene.log())
  expect(siem.lines.length).toBeGreaterThanOrEqual(5)
  // Who takes the log away is on record, once, and again when it goes elsewhere.
  const { origin } = new URL(siem.url)
  const configured = siem.lines.filter((line) => line.includes('audit.delivery_configured'))
  expect(configured.map((line) => JSON.parse(line) as object)).toMatchObject([
    { details: { to: origin, format: 'ndjson', personal: true, cursor: scene.first } },
  ])
})

test('two replicas deliver each event once, in turns', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  const to = { webhook: { url: siem.url, secret }, max_events: 3 }
  await scene.deliver(to)
  await scene.deliver(to)
  for (let i = 0; i < 5; i++) await scene.grow(14)
  await scene.delivered()

  expect(new Set(siem.posts.map(({ id }) => id)).size).toBe(siem.posts.length)
  expect(siem.lines).toEqual(await scene.log())
})
