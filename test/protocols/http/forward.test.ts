import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/errors.ts'
import { ok } from '../../support/upstream.ts'
import { behind, post, problemIn, request, startGateway, statusOf, turns } from './gateway.ts'

const headers = { authorization: 'Bearer alice' }

test('an allowed request reaches the upstream below its path, and the answer comes back with the id of the action', async () => {
  const { upstream, gateway } = await behind(() =>
    ok('{"id":1}', 'Content-Type: application/json\r\n'),
  )
  const answer = await fetch(`${gateway.url}/crm/v1/customers?limit=2`, { headers })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(answer.headers.get('sallyport-action')).toBe(gateway.gate.attempts[0]!.action.id)
  expect(await answer.json()).toEqual({ id: 1 })
  expect(upstream.requests[0]!.line).toBe('GET /v1/customers?limit=2 HTTP/1.1')
  expect(gateway.gate.outcomes).toEqual([
    { result: 'succeeded', status: 200, bytes: 8, duration_ms: expect.any(Number) as number },
  ])
})

test('a path of the upstream is put before that of the request', async () => {
  const { upstream } = await behind()
  const gateway = await startGateway([{ upstream: `${upstream.url}/api/` }])
  for (const target of ['/crm', '/crm/', '/crm/v1']) await gateway.raw(request(target))
  await gateway.close()
  expect(upstream.requests.map(({ line }) => line.split(' ')[1])).toEqual([
    '/api/',
    '/api/',
    '/api/v1',
  ])
})

test('a request that is denied reaches nobody', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = () => 'deny'
  const answer = await gateway.raw(post('hello'))
  expect(statusOf(answer)).toBe(403)
  expect(problemIn(answer)).toMatchObject({
    type: 'https://sallyport.dev/problems/denied',
    rules: [],
  })
  expect(answer).toMatch(/Content-Type: application\/problem\+json\r\n/)
  expect(upstream.connections).toEqual([])
})

test.for(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
  'an upstream that answers %s with 503 sees one request',
  async (method) => {
    const unavailable =
      'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n'
    const { upstream, gateway } = await behind(() => unavailable)
    const answer = await fetch(`${gateway.url}/crm/v1`, { method, headers })
    expect(answer.status).toBe(503)
    await later(30)
    expect(upstream.requests).toHaveLength(1)
    expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', status: 503 }])
  },
)

test('events stream: the head at once, and each event when it comes', async () => {
  let stream: Socket | undefined
  const { gateway } = await behind(() => (socket) => {
    stream = socket
    socket.write(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
  })
  const answer = await fetch(`${gateway.url}/crm/v1`, { headers })
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  const reader = answer.body!.getReader()
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    stream!.write(`${event.length.toString(16)}\r\n${event}\r\n`)
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(event)
  }
  stream!.write('0\r\n\r\n')
  expect((await reader.read()).done).toBe(true)
})

test('a request streams: the upstream has its beginning before there is an end', async () => {
  const { upstream, gateway } = await behind()
  const call = httpRequest(`${gateway.url}/crm/v1`, { method: 'POST', headers })
  const answered = new Promise<IncomingMessage>((resolve) => call.once('response', resolve))
  call.write('first')
  while (!upstream.connections[0]?.includes('first')) await later(2)
  expect(upstream.requests).toEqual([])
  call.end('last')
  expect((await answered).statusCode).toBe(200)
})

test('the record of a read is durable before its answer is released', async () => {
  const { upstream, gateway } = await behind(() => ok('rows'), { read: ['GET /**'] })
  let record!: () => void
  gateway.gate.recorded = () => new Promise((resolve) => (record = resolve))
  let released = false
  const answer = gateway.raw(request('/crm/v1')).then((text) => {
    released = true
    return text
  })
  await upstream.received(1)
  await later(30)
  expect(released).toBe(false)
  record()
  expect(await answer).toMatch(/rows$/)
})

test('a record that fails: the answer is thrown away unseen, and so is the connection', async () => {
  const { upstream, gateway } = await behind(() => ok('rows'), { read: ['GET /**'] })
  gateway.gate.recorded = async () => {
    await upstream.received(1)
    throw new Problem('store-unavailable', 'The audit log cannot be written.')
  }
  const answer = await gateway.raw(request('/crm/v1'))
  expect(statusOf(answer)).toBe(503)
  expect(answer).not.toContain('rows')
  expect(upstream.requests).toHaveLength(1)
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'store-unavailable' }])
  while (!upstream.sockets[0]!.destroyed) await later(2)
})

test('connections are kept as long as the upstream keeps them, with a margin', async () => {
  const connectionsWith = async (extra: string): Promise<number> => {
    const { upstream, gateway } = await behind((): string => ok('ok', extra))
    for (let i = 0; i < 3; i++) {
      await gateway.raw(request('/crm/v1'))
      await turns()
    }
    return upstream.connections.length
  }
  expect(await connectionsWith('')).toBe(1)
  expect(await connectionsWith('Keep-Alive: timeout=5, max=100\r\n')).toBe(1)
  expect(await connectionsWith('Keep-Alive: timeout=1\r\n')).toBe(3)
  expect(await connectionsWith('Connection: close\r\n')).toBe(3)
})

test('a connection that the upstream closes while nobody uses it is not used again', async () => {
  const { upstream, gateway } = await behind()
  await gateway.raw(request('/crm/v1'))
  await turns()
  const closed = once(upstream.sockets[0]!, 'close')
  upstream.sockets[0]!.end()
  await closed
  expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(200)
  expect(upstream.connections).toHaveLength(2)
})

test('the trace of the caller goes on, with a span of our own', async () => {
  const { upstream, gateway } = await behind()
  const id = '0af7651916cd43dd8448eb211c80319c'
  const sent = ['X-Request-Id: 7', `Traceparent: 00-${id}-b7ad6b7169203331-01`, 'Tracestate: a=b']
  await gateway.raw(request('/crm/v1', { headers: sent }))
  const { raw } = upstream.requests[0]!
  expect(raw).toMatch(
    new RegExp(`\r\ntraceparent: 00-${id}-(?!b7ad6b7169203331)[0-9a-f]{16}-01\r\n`),
  )
  expect(raw).toContain('tracestate: a=b\r\n')
  expect(raw).toContain('x-request-id: 7\r\n')
  expect(gateway.gate.attempts[0]!.action.trace).toBe(id)

  const broken = [
    'Traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01',
    'Tracestate: a=b',
  ]
  await gateway.raw(request('/crm/v1', { headers: broken }))
  const fresh = gateway.gate.attempts[1]!.action.trace
  expect(fresh).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
  expect(upstream.requests[1]!.raw).toContain(`traceparent: 00-${fresh}-`)
  expect(upstream.requests[1]!.raw).not.toContain('tracestate')
})
