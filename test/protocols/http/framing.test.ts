import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, post, request, statusOf, turns } from './gateway.ts'

const headers = { authorization: 'Bearer alice' }

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
