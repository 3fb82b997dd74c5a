import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 23: bombs, and slow clients while held (undici CVE-2026-1526).

test('headers beyond any reason: 400, before anything looks at them', async () => {
  const { upstream, gateway } = await behind()
  const many = Array.from({ length: 300 }, (_, i) => `X-${i}: 1`)
  const answers = [
    await gateway.raw(request('/crm/v1', { headers: [`X-Large: ${'x'.repeat(40_000)}`] })),
    await gateway.raw(request('/crm/v1', { headers: many })),
    await gateway.raw(request(`/crm/${'x'.repeat(40_000)}`)),
  ]
  for (const answer of answers) {
    expect(statusOf(answer)).toBe(400)
    expect(problemIn(answer).type).toMatch(/\/(ambiguous|bad)-request$/)
  }
  expect(upstream.connections).toEqual([])
})

test('a thousand headers are counted, not cut off: none gets past the checks behind the others', async () => {
  const { gateway } = await behind()
  const many = Array.from({ length: 1500 }, () => 'A:')
  const answer = await gateway.raw(request('/crm/v1', { headers: [...many, 'X-User: root'] }))
  expect(statusOf(answer)).toBe(400)
})

test('an answer with a head beyond any reason: 502', async () => {
  const { gateway } = await behind(() => ok('ok', `X-Large: ${'x'.repeat(70_000)}\r\n`))
  expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(502)
})

test('a compressed body is never unpacked', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.readsBody = true
  const bomb = '\x1f\x8b\x08\x00bomb'
  const headers = [
    'Content-Type: application/json',
    'Content-Encoding: gzip',
    `Content-Length: ${bomb.length}`,
  ]
  expect(
    statusOf(await gateway.raw(request('/crm/v1', { method: 'POST', headers, body: bomb }))),
  ).toBe(200)
  expect(upstream.requests[0]!.body).toBe(bomb)
})

test('a body that says that it is too large to be held is refused before it is read', async () => {
  const { gateway } = await behind(undefined, {}, { maxBody: 1000 })
  gateway.gate.verdict = () => 'hold'
  const headers = ['Content-Length: 99999999999', 'Expect: 100-continue']
  const answer = await gateway.raw(request('/crm/v1', { method: 'POST', headers }))
  expect(statusOf(answer)).toBe(413)
  expect(answer).not.toContain('100 Continue')
})

test('a client that sends a held body without end costs no more than the limit', async () => {
  const { gateway } = await behind(undefined, {}, { maxBody: 100_000 })
  gateway.gate.verdict = () => 'hold'
  const client = connect(gateway.port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write(request('/crm/v1', { method: 'POST', headers: ['Transfer-Encoding: chunked'] }))
  const answered = once(client, 'data') as Promise<[Buffer]>
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
  for (let i = 0; i < 200 && !client.destroyed; i++) {
    client.write(chunk)
    await later(1)
  }
  expect(statusOf(String((await answered)[0]))).toBe(413)
  client.destroy()
})

test('slow clients, held and in the middle of a body, harm no neighbour', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = ({ action }) => (action.summary.startsWith('POST') ? 'hold' : 'allow')
  const slow = Array.from({ length: 100 }, (_, i) => {
    const client = connect(gateway.port, '127.0.0.1')
    client.on('error', () => undefined)
    const half = i % 2 === 0
    const body = half ? 'x' : 'xx'
    client.write(request('/crm/v1', { method: 'POST', headers: ['Content-Length: 2'], body }))
    return client
  })
  for (let i = 0; i < 20; i++) expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(200)
  expect(upstream.requests.every(({ line }) => line.startsWith('GET'))).toBe(true)
  for (const client of slow) client.destroy()
})

test('an agent that fills its room with bodies waits for them to be decided; its neighbour does not', async () => {
  const { gateway } = await behind()
  gateway.gate.verdict = ({ action }) => (action.summary.startsWith('POST') ? 'hold' : 'allow')
  const body = 'x'.repeat(1024 * 1024)
  const headers = ['Content-Type: text/plain', `Content-Length: ${body.length}`]
  const large = request('/crm/v1', { method: 'POST', headers, body })
  const { sealed, outcomes } = gateway.gate
  const hold = async (bytes: string) => {
    const before = sealed.length
    const client = connect(gateway.port, '127.0.0.1')
    client.on('error', () => undefined)
    client.write(bytes)
    while (sealed.length === before) await later(1)
    return client
  }
  const held = []
  for (let i = 0; i < 64; i++) held.push(await hold(large))

  expect(problemIn(await gateway.raw(large)).type).toMatch(/\/too-many-holds$/)
  held.push(await hold(large.replace('Bearer alice', 'Bearer bob')))
  expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(200)

  for (const client of held) client.destroy()
  while (outcomes.filter(({ result }) => result === 'failed').length < held.length) await later(1)
  const again = await hold(large)
  again.destroy()
})
