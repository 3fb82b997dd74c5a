import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, problemIn, request, statusOf, type Gateway } from './gateway.ts'

// Class 23: whatever an attacker can have many of, or take long with, has a limit.

const soon = { timeout: 60_000, interval: 10 }

async function dial({ port }: Gateway): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A connection on which an agent has shown who it is, and which it keeps. */
async function known(gateway: Gateway, agent = 'alice'): Promise<{ socket: Socket; text: string }> {
  const socket = await dial(gateway)
  socket.write(request('/crm/v1').replace('alice', agent))
  let text = ''
  socket.on('data', (bytes) => (text += bytes.toString('latin1')))
  await expect.poll(() => text, soon).toMatch(/\r\n\r\n[^]+$/)
  return { socket, text }
}

test('one address cannot have all the connections: those on which nobody has shown a credential are counted', async () => {
  const { gateway } = await behind(undefined, {}, { limits: { max_connections_per_address: 3 } })
  const friends = [await known(gateway), await known(gateway), await known(gateway)]
  const silent = [await dial(gateway), await dial(gateway), await dial(gateway)]
  const one = await dial(gateway)
  await once(one, 'close')
  expect(friends.every(({ socket }) => !socket.destroyed)).toBe(true)
  silent[0]!.destroy()
  // As soon as the gateway has noticed, there is room for a friend.
  await expect
    .poll(async () => gateway.raw(request('/crm/v1', { headers: ['Connection: close'] })), soon)
    .toMatch(/^HTTP\/1\.1 200 /)
  expect(gateway.logged.join('')).toContain('connections were turned away')
})

test('open connections in all: the one beyond is closed, and those that are there go on', async () => {
  const { gateway } = await behind(undefined, {}, { limits: { max_connections: 2 } })
  const [one] = [await known(gateway), await known(gateway, 'bob')]
  await once(await dial(gateway), 'close')
  one.socket.write(request('/crm/v1'))
  expect(String((await once(one.socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /)
})

test('one subject has so many connections, and its neighbour its own', async () => {
  const { gateway } = await behind(undefined, {}, { limits: { max_connections_per_subject: 2 } })
  const mine = [await known(gateway), await known(gateway)]
  const refused = await known(gateway)
  expect(problemIn(refused.text).type).toMatch(/\/too-many-connections$/)
  expect((await known(gateway, 'bob')).text).toMatch(/^HTTP\/1\.1 200 /)
  mine[0]!.socket.destroy()
  await expect.poll(async () => statusOf((await known(gateway)).text), soon).toBe(200)
})

test('a connection on which nobody shows a credential does not stay', async () => {
  const limits = { idle_timeout: 1_000, headers_timeout: 60_000 }
  const { gateway } = await behind(undefined, {}, { limits })
  const [silent, stranger] = [await dial(gateway), await dial(gateway)]
  const gone = Promise.all([once(silent, 'close'), once(stranger, 'close')])
  stranger.write('GET /crm/v1 HTTP/1.1\r\nHost: gateway\r\n\r\n')
  expect(String((await once(stranger, 'data'))[0])).toMatch(/^HTTP\/1\.1 401 /)
  await gone
})

test('headers that come a byte at a time have to end in time', async () => {
  const { upstream, gateway } = await behind(undefined, {}, { limits: { headers_timeout: 300 } })
  const slow = await dial(gateway)
  let text = ''
  slow.on('data', (bytes) => (text += bytes.toString('latin1')))
  for (const letter of request('/crm/v1', { headers: [`X: ${'x'.repeat(10_000)}`] })) {
    if (slow.destroyed || text !== '') break
    slow.write(letter)
    await later(5)
  }
  if (!slow.closed) await once(slow, 'close')
  expect(text === '' || statusOf(text) === 400).toBe(true)
  expect(upstream.connections).toEqual([])
})

test.for(['hold', 'allow'] as const)(
  'a body that drips, of an action to %s: the client is hung up on, and the upstream has no whole request',
  async (verdict) => {
    const limits = { body_timeout: 200, min_body_rate: 1_000 }
    const { upstream, gateway } = await behind(undefined, {}, { limits })
    gateway.gate.verdict = () => verdict
    const slow = await dial(gateway)
    slow.write(request('/crm/v1', { method: 'POST', headers: ['Content-Length: 1000'] }))
    // More often than it may be silent, and less than it has to send.
    while (!slow.destroyed) {
      slow.write('x')
      await later(20)
    }
    expect(upstream.requests).toEqual([])
    await expect.poll(() => gateway.gate.attempts[0]!.caller.aborted, soon).toBe(true)
    gateway.gate.verdict = () => 'deny'
    expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(403)
  },
)

test('a body that is slow, because the upstream is, is no drip', async () => {
  // As long as a busy machine may take to read what has come already.
  const limits = { body_timeout: 1_500, min_body_rate: 1_000_000 }
  const { upstream, gateway } = await behind(() => () => undefined, {}, { limits })
  const body = 'x'.repeat(8_000_000)
  const headers = [`Content-Length: ${body.length}`, 'Connection: close']
  const answer = gateway.raw(request('/crm/v1', { method: 'POST', headers, body }))
  await expect.poll(() => upstream.sockets.length, soon).toBe(1)
  upstream.sockets[0]!.pause()
  await later(2_000)
  upstream.sockets[0]!.resume()
  await upstream.received(1)
  upstream.sockets[0]!.write(ok('slow'))
  expect(await answer).toMatch(/slow$/)
})

const floods: Record<string, { begin: string; more: string }> = {
  'an answer with 100 MB of headers': {
    begin: 'HTTP/1.1 200 OK\r\n',
    more: `X: ${'x'.repeat(60_000)}\r\n`,
  },
  'an answer with one header without end': {
    begin: 'HTTP/1.1 200 OK\r\nX: ',
    more: 'x'.repeat(60_000),
  },
  'interim answers without end': {
    begin: '',
    more: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  },
}

test.for(Object.entries(floods))('%s: 502 after some of it', async ([, { begin, more }]) => {
  let sent = 0
  const { upstream, gateway } = await behind(() => (socket) => {
    socket.write(begin)
    const flood = (): void => {
      while (sent < 100_000_000 && !socket.destroyed) {
        sent += more.length
        if (!socket.write(more)) return void socket.once('drain', flood)
      }
    }
    flood()
  })
  expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(502)
  await expect.poll(() => upstream.sockets[0]!.destroyed, soon).toBe(true)
  // What the buffers of the system take, and no more.
  expect(sent).toBeLessThan(20_000_000)
})

test('trailers of an answer without end: the client learns that it is not whole', async () => {
  const { gateway } = await behind(() => (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n')
    const flood = (): void => {
      while (!socket.destroyed) if (!socket.write(`X: ${'x'.repeat(60_000)}\r\n`)) break
      if (!socket.destroyed) socket.once('drain', flood)
    }
    flood()
  })
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).not.toMatch(/\r\n0\r\n/)
  expect(gateway.gate.outcomes).toMatchObject([{ error: 'upstream-unreachable' }])
})
