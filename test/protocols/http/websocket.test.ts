import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { HttpResource } from '../../../src/config/schema.ts'
import { Problem } from '../../../src/core/errors.ts'
import { FrameCounter } from '../../../src/protocols/http/websocket/frames.ts'
import { ok } from '../../support/upstream.ts'
import { behind, problemIn, request, startGateway, statusOf } from './gateway.ts'

// Class 7: WebSockets. The opening is the action.

/** An upstream that says back what it hears, and keeps the heads of what it was asked. */
async function echoing(resource: Partial<HttpResource> = {}) {
  const heads: string[][] = []
  const server: Server = createServer((_, response) => response.end('plain'))
  const sockets = new WebSocketServer({ server, perMessageDeflate: true })
  sockets.on('connection', (socket, { rawHeaders }) => {
    heads.push(rawHeaders)
    socket.on('message', (data, binary) => socket.send(data, { binary }))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gateway = await startGateway([{ upstream: url, websockets: true, ...resource }])
  onTestFinished(gateway.close)
  return { gateway, heads, sockets }
}

const open = (port: number, options = {}) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/crm/v1/live?x=1`, ['chat'], {
    headers: { authorization: 'Bearer alice' },
    ...options,
  })
  onTestFinished(() => socket.terminate())
  socket.on('error', () => undefined)
  return socket
}

const headers = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==',
  'Sec-WebSocket-Version: 13',
]
const opening = (more: string[] = [], method = 'GET') =>
  request('/crm/v1', { method, headers: [...headers, ...more] })

test('an opening that policy allows: messages go both ways as they are, and are counted', async () => {
  const { gateway, heads } = await echoing()
  const socket = open(gateway.port)
  await once(socket, 'open')
  expect(socket.protocol).toBe('chat')
  socket.send('hello')
  expect(String((await once(socket, 'message'))[0])).toBe('hello')
  const large = Buffer.alloc(300_000, 'abc')
  socket.send(large)
  expect((await once(socket, 'message'))[0]).toEqual(large)
  socket.close()
  await once(socket, 'close')
  await expect.poll(() => gateway.gate.outcomes.length).toBe(1)

  const [attempt] = gateway.gate.attempts
  expect(attempt!.action).toMatchObject({
    effect: 'unknown',
    attributes: { http: { method: 'GET', path: '/v1/live', upgrade: 'websocket' } },
  })
  // Each side said two messages and its goodbye; permessage-deflate may make many frames of a large one, and few bytes.
  const { websocket, ...outcome } = gateway.gate.outcomes[0]!
  expect(outcome).toMatchObject({ result: 'succeeded', status: 101 })
  expect(websocket!.from_agent.frames).toBeGreaterThanOrEqual(3)
  expect(websocket!.to_agent.frames).toBeGreaterThanOrEqual(3)
  expect(heads[0]!.join('\n')).not.toContain('alice')
})

test('an opening that policy denies, and one that nobody proves: no byte reaches the upstream', async () => {
  const { upstream, gateway } = await behind(undefined, { websockets: true })
  gateway.gate.verdict = () => 'deny'
  expect(statusOf(await gateway.raw(opening()))).toBe(403)
  expect(statusOf(await gateway.raw(opening().replace('alice', 'no-body')))).toBe(401)
  const status = new Promise((resolve) =>
    open(gateway.port).on('unexpected-response', (_, response) => resolve(response.statusCode)),
  )
  expect(await status).toBe(403)
  expect(upstream.connections).toEqual([])
})

test('a held opening waits, shows what it is, and opens once it is approved', async () => {
  const { gateway } = await echoing()
  gateway.gate.verdict = () => 'hold'
  const socket = open(gateway.port)
  await gateway.gate.held()
  const { headers: shown } = gateway.gate.sealed[0]!.payload as { headers: object[] }
  expect(shown).toContainEqual({ name: 'upgrade', value: 'websocket' })
  expect(JSON.stringify(shown)).not.toContain('sec-websocket-key')
  gateway.gate.approve()
  await once(socket, 'open')

  const again = open(gateway.port)
  await gateway.gate.held()
  // Another key each time, and the same action.
  expect(gateway.gate.sealed[1]!.digest).toBe(gateway.gate.sealed[0]!.digest)
  again.terminate()
  await expect.poll(() => gateway.gate.attempts[1]!.caller.aborted).toBe(true)
})

test('an ordinary request to the same place is another action than an opening', async () => {
  const { upstream, gateway } = await behind(undefined, { websockets: true })
  gateway.gate.verdict = () => 'hold'
  for (const bytes of [opening(), request('/crm/v1')]) {
    const answer = gateway.raw(bytes)
    await gateway.gate.held()
    gateway.gate.approve()
    await answer
  }
  const [one, two] = gateway.gate.sealed
  expect(one!.digest).not.toBe(two!.digest)
  expect(upstream.requests[1]!.raw).not.toMatch(/upgrade/i)
})

test('what an upstream answers instead of opening is passed on, and its connection is used for nothing else', async () => {
  const { upstream, gateway } = await behind(() => ok('not today'), { websockets: true })
  const answer = await gateway.raw(opening())
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*not today$/)
  await gateway.raw(request('/crm/v1'))
  expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 1])
})

const liars: Record<string, string> = {
  'without the proof': 'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  'with the proof for another key':
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n',
  'to something else': 'Upgrade: h2c\r\nConnection: Upgrade\r\n',
}

test.for(Object.entries(liars))(
  'an upstream that switches protocols %s: 502',
  async ([, lines]) => {
    const switching = `HTTP/1.1 101 Switching Protocols\r\n${lines}\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON`
    const { upstream, gateway } = await behind(() => switching, { websockets: true })
    const answer = await gateway.raw(opening())
    expect(statusOf(answer)).toBe(502)
    expect(answer).not.toContain('POISON')
    expect(gateway.gate.outcomes).toMatchObject([{ result: 'unknown' }])
    await expect.poll(() => upstream.sockets[0]!.destroyed).toBe(true)
  },
)

const refused: Record<string, string> = {
  'with a body': opening(['Content-Length: 2']) + 'ok',
  'with chunks': opening(['Transfer-Encoding: chunked']) + '0\r\n\r\n',
  'with a request behind it': opening() + request('/crm/admin'),
  'with frames behind it': opening() + '\x81\x80\0\0\0\0',
  'behind a request': request('/crm/v1', { headers: [] }) + opening(),
  'by POST': opening([], 'POST'),
  'of an old version': opening().replace('Version: 13', 'Version: 8'),
  'without a key': opening().replace(/Sec-WebSocket-Key: .*\r\n/, ''),
  'with two keys': opening(['Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==']),
  'that Connection does not name': opening().replace('Connection: Upgrade\r\n', ''),
  'beside an offer of HTTP/2': opening(['Upgrade: h2c']),
}

test.for(Object.entries(refused))(
  'an opening %s is not passed on, and nothing is smuggled in with it',
  async ([, bytes]) => {
    const { upstream, gateway } = await behind(() => () => undefined, { websockets: true })
    const answer = await gateway.raw(bytes, 1, 200)
    if (answer !== '') expect(statusOf(answer)).toBe(400)
    for (const { raw } of upstream.requests) expect(raw).not.toMatch(/upgrade|admin/i)
  },
)

test('a resource that does not say that it takes WebSockets: 400', async () => {
  const { upstream, gateway } = await behind()
  const answer = await gateway.raw(opening())
  expect(problemIn(answer).detail).toContain('takes no WebSockets')
  expect(upstream.connections).toEqual([])
})

test('a client that talks before it has an answer is hung up on, and nothing of it is sent', async () => {
  const { upstream, gateway } = await behind(undefined, { websockets: true })
  gateway.gate.verdict = () => 'hold'
  const client = connect(gateway.port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write(opening())
  await gateway.gate.held()
  client.write('\x81\x80\0\0\0\0', 'latin1')
  await once(client, 'close')
  await expect.poll(() => gateway.gate.attempts[0]!.caller.aborted).toBe(true)
  gateway.gate.approve()
  expect(upstream.requests).toEqual([])
})

test('frames that are none end both connections', async () => {
  const { gateway } = await echoing()
  const client = connect(gateway.port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write(opening())
  expect(String((await once(client, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /)
  // Not masked, as a client's have to be.
  client.write('\x81\x02hi', 'latin1')
  await once(client, 'close')
  await expect.poll(() => gateway.gate.outcomes).toMatchObject([{ error: 'bad-request' }])
})

test('it is cut, and told why, when its credential ends or a policy denies it', async () => {
  const { gateway, sockets } = await echoing()
  const socket = open(gateway.port)
  await once(socket, 'open')
  gateway.gate.ended = ({ endless }) =>
    endless ? new Problem('unauthenticated', 'The credential has ended.') : null
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  expect([code, String(reason)]).toEqual([1008, 'unauthenticated'])
  await expect.poll(() => sockets.clients.size).toBe(0)
  expect(gateway.gate.outcomes).toMatchObject([
    { result: 'succeeded', status: 101, error: 'unauthenticated' },
  ])
})

test('when the gateway stops, clients are told to go elsewhere', async () => {
  const { gateway } = await echoing()
  const socket = open(gateway.port)
  await once(socket, 'open')
  const [closed] = await Promise.all([once(socket, 'close'), gateway.close()])
  expect(closed[0]).toBe(1001)
})

test('back-pressure: an upstream that does not read slows the agent down', async () => {
  const { gateway } = await behind(
    ({ raw }) =>
      (upstream) => {
        const key = /sec-websocket-key: (.*)\r\n/.exec(raw)![1]!
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        const proof = `Sec-WebSocket-Accept: ${accept.digest('base64')}\r\nSec-WebSocket-Protocol: chat`
        upstream.pause()
        upstream.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${proof}\r\n\r\n`,
        )
      },
    { websockets: true },
  )
  const socket = open(gateway.port)
  await once(socket, 'open')
  for (let i = 0; i < 30; i++) socket.send(Buffer.alloc(1_000_000, i))
  // Some megabytes fit into the buffers of the system; the rest stays with who sends it, however long that takes.
  let before = 0
  while (socket.bufferedAmount !== before) {
    before = socket.bufferedAmount
    await later(100)
  }
  expect(socket.bufferedAmount).toBeGreaterThan(10_000_000)
})

test('frames are counted whatever pieces they come in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 70_000 }), { maxLength: 5 }),
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: 1, max: 9_000 })),
      (sizes, masked, pieces) => {
        const stream = Buffer.concat(sizes.map((size) => frameOf(size, masked)))
        const counter = new FrameCounter(masked)
        for (let at = 0; at < stream.length;) {
          const piece = stream.subarray(at, at + pieces.next().value)
          counter.count(piece)
          at += piece.length
        }
        expect(counter).toMatchObject({ frames: sizes.length, bytes: stream.length })
        expect(counter.atBoundary).toBe(true)
      },
    ),
  )
})

/** A binary frame of that many bytes (RFC 6455 §5.2). */
function frameOf(size: number, masked: boolean): Buffer {
  const mask = masked ? 128 : 0
  const head =
    size < 126
      ? [0x82, mask | size]
      : size < 65_536
        ? [0x82, mask | 126, size >> 8, size & 255]
        : [0x82, mask | 127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 255, size & 255]
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0), Buffer.alloc(size)])
}
