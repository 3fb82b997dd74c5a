import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { ok, type Script } from '../../support/upstream.ts'
import { behind, request, startGateway, statusOf, turns } from './gateway.ts'

// Class 6: an upstream that answers twice, or unasked (Node CVE-2026-48931).

const poison = ok('POISON')
const as = (agent: string, target = '/crm/v1') => request(target).replace('alice', agent)

const poisoners: Record<string, Script> = {
  'two answers at once': (_, index) => ok('fine') + (index === 0 ? poison : ''),
  'a second answer right behind': (_, index) => (socket) => {
    socket.write(ok('fine'))
    if (index === 0) setImmediate(() => socket.write(poison))
  },
  'half of a second answer': (_, index) =>
    ok('fine') + (index === 0 ? 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Half: ' : ''),
  'a body that is longer than it says': (_, index) => ok('fine') + (index === 0 ? 'and more' : ''),
  'an answer with no body that has one': (_, index) =>
    index === 0 ? `HTTP/1.1 204 No Content\r\n\r\n${poison}` : ok('fine'),
  'an answer to HEAD with a body': (_, index) => (index === 0 ? poison : ok('fine')),
}

test.for(Object.entries(poisoners))('%s never reaches another request', async ([, script]) => {
  const { upstream, gateway } = await behind(script)
  const method = script === poisoners['an answer to HEAD with a body'] ? 'HEAD' : 'GET'
  await gateway.raw(request('/crm/v1', { method, headers: ['Connection: close'] }))
  for (const agent of ['alice', 'bob', 'alice']) {
    const answer = await gateway.raw(as(agent))
    expect(answer).toMatch(/fine$/)
    expect(answer).not.toContain('POISON')
  }
  expect(upstream.requests.slice(1).every(({ connection }) => connection !== 0)).toBe(true)
})

test('bytes on a connection that waits end it', async () => {
  const { upstream, gateway } = await behind(() => ok('fine'))
  await gateway.raw(as('alice'))
  const [socket] = upstream.sockets
  const closed = new Promise((resolve) => socket!.once('close', resolve))
  socket!.write(poison)
  await closed
  expect(await gateway.raw(as('alice'))).toMatch(/fine$/)
  expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 1])
})

test('no connection is lent from one agent to another', async () => {
  const { upstream, gateway } = await behind()
  for (const agent of ['alice', 'bob', 'alice', 'bob']) {
    await gateway.raw(as(agent))
    await turns()
  }
  const connections = upstream.requests.map(({ connection }) => connection)
  expect(connections).toEqual([0, 1, 0, 1])
})

test('an answer before the request is whole: the rest of it cannot become the next request', async () => {
  let connections = 0
  const hasty = createServer((socket) => {
    connections++
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(ok('fine')))
  })
  await new Promise<void>((resolve) => hasty.listen(0, '127.0.0.1', resolve))
  const { port } = hasty.address() as AddressInfo
  const gateway = await startGateway([{ upstream: `http://127.0.0.1:${port}` }])
  onTestFinished(async () => {
    await gateway.close()
    hasty.close()
  })
  const half = request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 100'],
    body: 'half',
  })
  expect(statusOf(await gateway.raw(half))).toBe(200)
  await turns()
  expect(statusOf(await gateway.raw(as('alice')))).toBe(200)
  expect(connections).toBe(2)
})

const invalid: Record<string, string> = {
  'both lengths':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc',
  'a transfer coding that is not chunked':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'line feeds alone': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'a folded header': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
  'a NUL in a header': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok',
  'a control character in a header': 'HTTP/1.1 200 OK\r\nX: a\x7fb\r\nContent-Length: 2\r\n\r\nok',
  'a control character in its reason': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok',
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n',
  'another protocol':
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'a status that is none': 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n',
  'HTTP/2': 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
}

test.for(Object.entries(invalid))('an answer with %s is not passed on: 502', async ([, answer]) => {
  const { upstream, gateway } = await behind(() => answer)
  expect(statusOf(await gateway.raw(as('alice')))).toBe(502)
  expect(upstream.requests).toHaveLength(1)
  expect(gateway.gate.outcomes).toMatchObject([
    { result: 'unknown', error: 'upstream-unreachable' },
  ])
})
