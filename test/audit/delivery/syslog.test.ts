import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { anIntent, until } from '../../support/audit.ts'
import { Authority, openssl } from '../../support/certificates.ts'
import { Collector } from './receivers.ts'
import { Scene } from './scene.ts'

const header = /^<110>1 \S+ \S+ sallyport [0-9a-f-]{36} (\S+) \[meta sequenceId="(\d+)"\] /

/** Indexes and texts of what a collector heard. */
const heard = ({ messages }: Collector) =>
  messages.map((message) => {
    const [start, , sequence] = header.exec(message) ?? []
    return { index: Number(sequence) - 1, text: message.slice(start!.length) }
  })

test('a collector hears each event once, in order, over TCP', async () => {
  const scene = await Scene.open()
  const collector = await Collector.start()
  await scene.grow(12)
  const syslog = { host: '127.0.0.1', port: collector.port, tls: 'disable' }
  await scene.deliver({ syslog, max_events: 5 })
  await scene.delivered()

  expect(heard(collector).map(({ text }) => text)).toEqual(await scene.log())
  expect(heard(collector).map(({ index }) => index)).toEqual(
    collector.messages.map((_, i) => scene.first + i),
  )
})

test('a collector that dies half way hears the same again, and knows by its index what it had', async () => {
  const scene = await Scene.open()
  const collector = await Collector.start()
  collector.dies = true
  await scene.grow(6)
  const syslog = { host: '127.0.0.1', port: collector.port, tls: 'disable' }
  await scene.deliver({ syslog })
  await scene.delivered()

  expect(scene.attempts[0]?.delivered).toBe(false)
  const all = heard(collector)
  expect(all.slice(0, 2).map(({ index }) => index)).toEqual([scene.first, scene.first])
  const first = all.filter(({ index }, i) => all.findIndex((it) => it.index === index) === i)
  expect(first.map(({ text }) => text)).toEqual(await scene.log())
})

test('class 25, log injection: whatever is in an event, it is one message, and one of CEF', async () => {
  const hostile = [
    'a\r\n<13>1 - - - - - - forged',
    'CEF:0|x|y|z|1|forged|10|suser=root',
    'x suser=root act=allow\\',
    '\u0007\u001b[2J\u0085\u2028',
    'y'.repeat(1_000_000),
  ]
  const scene = await Scene.open()
  const collector = await Collector.start()
  await scene.grow(
    hostile.map((text) =>
      anIntent({
        resource: text.slice(0, 200),
        reason: text.slice(0, 200),
        attributes: { http: { method: 'GET', path: text } },
        details: { summary: text },
      }),
    ),
  )
  const syslog = { host: '127.0.0.1', port: collector.port, tls: 'disable' }
  await scene.deliver({ syslog, format: 'cef' })
  await scene.delivered()

  const { cursor } = await scene.health()
  expect(heard(collector).map(({ index }) => index)).toEqual(
    Array.from({ length: cursor - scene.first }, (_, i) => scene.first + i),
  )
  const events = heard(collector).map(({ text }) => cefOf(text))
  for (const { text } of heard(collector)) {
    expect(text).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    expect(text.length).toBeLessThan(16_000)
  }
  const intents = events.filter(({ head }) => head[4] === 'action.decided')
  expect(intents.map(({ values }) => values['destinationServiceName'])).toEqual(
    hostile.map((text) => meant(text.slice(0, 200))),
  )
  for (const { values } of intents) {
    expect(values).toMatchObject({ suser: 'agent-7', act: 'allow', requestMethod: 'GET' })
  }
  expect(intents.map(({ values }) => values['msg'])).toEqual(
    hostile.map((text) => meant(text.length > 1023 ? `${text.slice(0, 1022)}…` : text)),
  )
})

/** Controls as JSON writes them. Nothing on record has a NUL. */
const meant = (text: string) =>
  text.replace(
    /(?![\r\n])[\p{Cc}\u2028]/gu,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A reader of CEF by the letter of its guide. */
function cefOf(line: string): { head: string[]; values: Record<string, string> } {
  const parts = line.split(/(?<!(?<!\\)(?:\\\\)*\\)\|/)
  expect(parts[0]).toBe('CEF:0')
  expect(parts.length).toBeGreaterThanOrEqual(8)
  const head = parts.slice(1, 7)
  const extension = line.slice(parts.slice(0, 7).join('|').length + 1)
  const values: Record<string, string> = {}
  const pairs = extension.split(/(?:^| )(?=[A-Za-z0-9]+=)/).filter((pair) => pair !== '')
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const said = { '\\\\': '\\', '\\=': '=', '\\n': '\n', '\\r': '\r' }
    values[pair.slice(0, at)] = pair
      .slice(at + 1)
      .replace(/\\[\\=nr]/g, (it) => said[it as keyof typeof said])
  }
  return { head: ['CEF:0', ...head].slice(0, 7), values }
}

describe.runIf(openssl)('over TLS', () => {
  test('a collector with a certificate of the authority hears everything, and knows the gateway by its own', async () => {
    const scene = await Scene.open()
    const authority = new Authority()
    const server = authority.issue('collector')
    const client = authority.issue('gateway', { subject: '/CN=sallyport' })
    const collector = await Collector.start({
      cert: readFileSync(server.cert),
      key: readFileSync(server.key),
      ca: authority.pem,
      requestCert: true,
      rejectUnauthorized: true,
    })
    await scene.grow(5)
    const syslog = { host: '127.0.0.1', port: collector.port, ca: authority.file, ...client }
    await scene.deliver({ syslog })
    await scene.delivered()
    expect(heard(collector).map(({ text }) => text)).toEqual(await scene.log())
  })

  test('a collector that somebody else vouches for hears nothing', async () => {
    const scene = await Scene.open()
    const stranger = new Authority().issue('collector')
    const collector = await Collector.start({
      cert: readFileSync(stranger.cert),
      key: readFileSync(stranger.key),
    })
    await scene.grow(2)
    await scene.deliver({
      syslog: { host: '127.0.0.1', port: collector.port, ca: new Authority().file },
    })
    await until(async () => (await scene.health()).failures > 1)
    expect(collector.messages).toEqual([])
    expect((await scene.health()).lastError).toMatch(
      /^There is no trust between it and the gateway/,
    )
  })
})
