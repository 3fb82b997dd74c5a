import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/errors.ts'
import { ok, type Script } from '../../support/upstream.ts'
import { behind, problemIn, request, startGateway, statusOf, turns } from './gateway.ts'

const headers = { authorization: 'Bearer alice' }
const post = (body: string, extra: string[] = []) =>
  request('/crm/v1', {
    method: 'POST',
    headers: [...extra, `Content-Length: ${body.length}`],
    body,
  })

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

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1')

test.for([
  ['with a length', `Content-Length: 256\r\n\r\n${everyByte}`],
  [
    'in chunks',
    `Transfer-Encoding: chunked\r\n\r\n1\r\n\0\r\nff\r\n${everyByte.slice(1)}\r\n0\r\n\r\n`,
  ],
  [
    'in chunks, and trailers',
    `Transfer-Encoding: chunked\r\n\r\n100\r\n${everyByte}\r\n0\r\nX: 1\r\n\r\n`,
  ],
] as const)('a small answer %s comes byte for byte', async ([, answer]) => {
  const { gateway } = await behind(() => `HTTP/1.1 200 OK\r\nX-Name: \xe9\r\n${answer}`)
  const response = await fetch(`${gateway.url}/crm/v1`, { headers })
  expect(response.headers.get('x-name')).toBe('\xe9')
  expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toBe(everyByte)
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'succeeded', bytes: 256 }])
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

test.for(['GET', 'POST', 'DELETE'])(
  'an upstream that cuts the connection on %s sees one request, also on a connection that was used before',
  async (method) => {
    const { upstream, gateway } = await behind((_, index) =>
      index === 0 ? ok('ok') : (socket) => socket.resetAndDestroy(),
    )
    await fetch(`${gateway.url}/crm/v1`, { headers })
    await turns()
    const answer = await fetch(`${gateway.url}/crm/v1`, { method, headers })
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/upstream-unreachable',
    })
    await later(30)
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 0])
    // Nobody can tell whether it had an effect.
    expect(gateway.gate.outcomes[1]).toMatchObject({
      result: 'unknown',
      error: 'upstream-unreachable',
    })
  },
)

test('of a read that got no answer, it is known that it had no effect', async () => {
  const { gateway } = await behind(() => (socket) => socket.destroy(), { read: ['GET /**'] })
  expect((await fetch(`${gateway.url}/crm/v1`, { headers })).status).toBe(502)
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'upstream-unreachable' }])
})

test('an upstream that is not there: 502, and it is known that nothing was sent', async () => {
  const { upstream, gateway } = await behind()
  await upstream.close()
  const answer = await gateway.raw(post('hello'))
  expect(statusOf(answer)).toBe(502)
  expect(problemIn(answer).detail).toBe('The upstream cannot be reached (ECONNREFUSED).')
  expect(answer).not.toContain(String(upstream.port))
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'upstream-unreachable' }])
})

test('an upstream that is silent: 504; in the middle of its answer: the answer is visibly not whole', async () => {
  const { gateway } = await behind(
    (_, index) =>
      index === 0 ? () => undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    { timeout: 400 },
  )
  expect(statusOf(await gateway.raw(post('hello')))).toBe(504)
  const answer = await gateway.raw(post('hello'))
  expect(answer).toMatch(/half$/)
  expect(gateway.gate.outcomes).toMatchObject([
    { result: 'unknown', error: 'upstream-timeout' },
    { result: 'unknown', status: 200, error: 'upstream-timeout' },
  ])
})

test('a client that is slow to send is not an upstream that is silent', async () => {
  const { gateway } = await behind(undefined, { timeout: 400 })
  const call = httpRequest(`${gateway.url}/crm/v1`, { method: 'POST', headers })
  const answered = new Promise<IncomingMessage>((resolve) => call.once('response', resolve))
  call.write('one')
  await later(900)
  call.end('two')
  expect((await answered).statusCode).toBe(200)
})

test.for([
  ['that is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'],
  [
    'that is cut off between chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  ],
] as const)('an answer %s is not passed on as if it were whole', async ([, text]) => {
  const { gateway } = await behind(() => (socket) => socket.end(text))
  await expect(
    fetch(`${gateway.url}/crm/v1`, { headers }).then((answer) => answer.text()),
  ).rejects.toThrow()
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'unknown', status: 200 }])
})

test('bodies keep their framing, and their bytes', async () => {
  const { upstream, gateway } = await behind()
  await gateway.raw(post('hello'))
  expect(upstream.requests[0]!.headers).toContain('content-length: 5')
  expect(upstream.requests[0]!.body).toBe('hello')
  const body = '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'
  await gateway.raw(
    request('/crm/v1', { method: 'POST', headers: ['Transfer-Encoding: chunked'], body }),
  )
  expect(upstream.requests[1]!.headers).toContain('transfer-encoding: chunked')
  expect(upstream.requests[1]!.body).toBe(body)
  await gateway.raw(request('/crm/v1', { method: 'POST' }))
  expect(upstream.requests[2]!.raw).not.toMatch(/content-length|transfer-encoding/)
  await gateway.raw(post(''))
  expect(upstream.requests[3]!.headers).toContain('content-length: 0')
})

test('answers keep their headers, several of one name and bytes outside ASCII among them', async () => {
  const { gateway } = await behind(() =>
    ok(
      'ok',
      'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Name: caf\xe9\r\nContent-Encoding: br\r\nDate: then\r\n',
    ),
  )
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).toContain(
    'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Name: caf\xe9\r\nContent-Encoding: br\r\nDate: then\r\n',
  )
  expect(answer.match(/^date:/gim)).toHaveLength(1)
})

test.for([
  [
    'HEAD',
    'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n',
    /^HTTP\/1.1 200 OK\r\nContent-Length: 500\r\n/,
  ],
  ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', /^HTTP\/1.1 200 OK\r\n/],
  ['GET', 'HTTP/1.1 204 Nothing here\r\n\r\n', /^HTTP\/1.1 204 Nothing here\r\n/],
  [
    'GET',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n',
    /^HTTP\/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n/,
  ],
] as const)('%s answered with %j has no body', async ([method, text, expected]) => {
  const { upstream, gateway } = await behind(() => text)
  const answer = await gateway.raw(
    request('/crm/v1', { method, headers: ['Connection: close'] }),
    9,
  )
  expect(answer).toMatch(expected)
  expect(answer.endsWith('\r\n\r\n')).toBe(true)
  // And the connection to the upstream is fine.
  await turns()
  await gateway.raw(request('/crm/v1', { method, headers: ['Connection: close'] }), 9)
  expect(upstream.connections).toHaveLength(1)
  expect(gateway.gate.outcomes[0]).toMatchObject({ bytes: 0 })
})

test('interim answers are passed over: what they say would come before the record', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </secret>\r\n\r\n'
  const { gateway } = await behind(() => `HTTP/1.1 100 Continue\r\n\r\n${hints}${hints}${ok('ok')}`)
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/)
  expect(answer).not.toContain('secret')
})

test('trailers of an answer come through, those that frame or forge do not', async () => {
  const { gateway } = await behind(
    () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n' +
      '5\r\nhello\r\n0\r\nX-Checksum: 1\r\nTrailer: x\r\nSallyport-Action: x\r\nX-Checksum: 2\r\n\r\n',
  )
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).toMatch(/\r\n5\r\nhello\r\n0\r\nX-Checksum: 1\r\nX-Checksum: 2\r\n\r\n$/)
})

test('an answer that ends with its connection is whole', async () => {
  const { gateway } = await behind(() => (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'))
  expect(await (await fetch(`${gateway.url}/crm/v1`, { headers })).text()).toBe('hello')
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'succeeded', bytes: 5 }])
})

test('a client of HTTP/1.0 gets what it understands', async () => {
  const { gateway } = await behind(
    () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  )
  const answer = await gateway.raw(request('/crm/v1').replace('HTTP/1.1', 'HTTP/1.0'))
  expect(answer).toMatch(/\r\n\r\nhello$/)
  expect(answer).not.toMatch(/transfer-encoding/i)
})

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

const unfinished: Record<string, { script: Script; seen: object }> = {
  'before the answer': { script: () => () => undefined, seen: {} },
  'in the middle of the answer': {
    script: () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    seen: { status: 200, bytes: 4 },
  },
}

test.for(Object.entries(unfinished))(
  'a client that goes away %s: so does the request at the upstream',
  async ([, { script, seen }]) => {
    const { upstream, gateway } = await behind(script)
    const client = connect(gateway.port, '127.0.0.1')
    client.write(post('hello'))
    await upstream.received(1)
    const closed = once(upstream.sockets[0]!, 'close')
    await later(10)
    client.destroy()
    await closed
    while (gateway.gate.outcomes.length === 0) await later(2)
    expect(gateway.gate.outcomes).toEqual([
      { result: 'unknown', error: 'client-gone', duration_ms: expect.any(Number), ...seen },
    ])
  },
)

test('a client that goes away in the middle of its request: the upstream never gets a whole one', async () => {
  const { upstream, gateway } = await behind()
  const client = connect(gateway.port, '127.0.0.1')
  client.write(
    request('/crm/v1', { method: 'POST', headers: ['Content-Length: 10'], body: 'half' }),
  )
  while (!upstream.connections[0]?.includes('half')) await later(2)
  client.destroy()
  while (gateway.gate.outcomes.length === 0) await later(2)
  expect(upstream.requests).toEqual([])
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'unknown', error: 'client-gone' }])
})

test('100 Continue is said when the body is wanted, and only then', async () => {
  const { gateway } = await behind()
  const bytes = request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 5', 'Expect: 100-continue'],
  })
  const client = connect(gateway.port, '127.0.0.1')
  client.setEncoding('latin1')
  const next = async (): Promise<string> => String((await once(client, 'data'))[0])
  client.write(bytes)
  expect(await next()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  client.write('hello')
  expect(statusOf(await next())).toBe(200)
  client.destroy()

  gateway.gate.verdict = () => 'deny'
  expect(statusOf(await gateway.raw(bytes))).toBe(403)
  const other = await gateway.raw(request('/crm/v1', { headers: ['Expect: a-miracle'] }))
  expect(statusOf(other)).toBe(400)
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
