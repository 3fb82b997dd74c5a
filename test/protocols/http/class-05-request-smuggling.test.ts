import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, request, statusOf, turns } from './gateway.ts'

// Class 5: CL.TE, TE.CL, TE.TE, duplicate Content-Length (llhttp CVE-2025-23167, undici CVE-2026-1525).

const smuggled = 'GET /crm/admin HTTP/1.1\r\nHost: gateway\r\n\r\n'
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

const attacks: Record<string, string> = {
  'CL.TE': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 6', 'Transfer-Encoding: chunked'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'TE.CL': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding: chunked', 'Content-Length: 4'],
    body: `${chunk(smuggled)}0\r\n\r\n`,
  }),
  'two Content-Lengths': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 0', `Content-Length: ${smuggled.length}`],
    body: smuggled,
  }),
  'the same Content-Length twice': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 2', 'Content-Length: 2'],
    body: 'ok',
  }),
  'a list of Content-Lengths': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 2, 2'],
    body: 'ok',
  }),
  'a Content-Length with a sign': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: +2'],
    body: 'ok',
  }),
  'a Content-Length in hexadecimal': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 0x2'],
    body: 'ok',
  }),
  'a Content-Length that no number holds': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 99999999999999999999'],
    body: 'ok',
  }),
  'two Transfer-Encodings': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'a list of Transfer-Encodings': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding: gzip, chunked'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'a Transfer-Encoding that only looks like chunked': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding: xchunked'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'Transfer-Encoding: identity': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding: identity'],
    body: smuggled,
  }),
  'Transfer-Encoding with a tab before the colon': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding\t: chunked'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'Transfer-Encoding with a blank before the colon': request('/crm/v1', {
    method: 'POST',
    headers: ['Content-Length: 3', 'Transfer-Encoding : chunked'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'a folded Transfer-Encoding': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding:\r\n chunked'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'a folded header before Content-Length': request('/crm/v1', {
    method: 'POST',
    headers: ['X-A: 1\r\n Content-Length: 0', 'Content-Length: 2'],
    body: 'ok',
  }),
  'Transfer-Encoding in HTTP/1.0': request('/crm/v1', {
    method: 'POST',
    headers: ['Transfer-Encoding: chunked'],
    body: `0\r\n\r\n${smuggled}`,
  }).replace('HTTP/1.1', 'HTTP/1.0'),
  'line feeds alone': request('/crm/v1', {
    method: 'POST',
    headers: ['X-A: 1\nTransfer-Encoding: chunked', 'Content-Length: 3'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'a carriage return alone': request('/crm/v1', {
    method: 'POST',
    headers: ['X-A: 1\rTransfer-Encoding: chunked', 'Content-Length: 3'],
    body: `0\r\n\r\n${smuggled}`,
  }),
  'a NUL in a header': request('/crm/v1', {
    method: 'POST',
    headers: ['X-A: 1\0', 'Content-Length: 2'],
    body: 'ok',
  }),
}

test.for(Object.entries(attacks))(
  '%s is refused, and the upstream sees nothing',
  async ([, bytes]) => {
    const { upstream, gateway } = await behind()
    const answer = await gateway.raw(bytes)
    expect(statusOf(answer)).toBe(400)
    expect(answer).toContain('application/problem+json')
    expect(upstream.requests).toEqual([])
    expect(gateway.gate.attempts).toEqual([])
  },
)

const brokenChunks: Record<string, string> = {
  'a chunk size with a sign': '+5\r\nhello\r\n0\r\n\r\n',
  'a chunk size in 0x': '0x5\r\nhello\r\n0\r\n\r\n',
  'a chunk that is longer than it says': '3\r\nhello\r\n0\r\n\r\n',
  'a chunk without an end': '5\r\nhello0\r\n\r\n',
  'a chunk size that ends in a line feed': '5\nhello\r\n0\r\n\r\n',
  'a chunk size beyond 64 bits': 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
}

test.for(Object.entries(brokenChunks))(
  '%s: the upstream does not get a whole request',
  async ([, body]) => {
    const { upstream, gateway } = await behind()
    const headers = ['Transfer-Encoding: chunked']
    const answer = await gateway.raw(request('/crm/v1', { method: 'POST', headers, body }))
    expect(answer === '' || statusOf(answer) === 400).toBe(true)
    expect(upstream.requests).toEqual([])
  },
)

test.for(['GET', 'HEAD', 'DELETE', 'OPTIONS'])(
  'a body of a %s that an upstream may ignore cannot become a request of the next agent',
  async (method) => {
    const { upstream, gateway } = await behind(() => ok(''))
    const send = (body: string, ...headers: string[]) =>
      gateway.raw(
        request('/crm/v1', { method, headers: ['Connection: close', ...headers], body }),
        9,
      )
    await send(smuggled, `Content-Length: ${smuggled.length}`)
    expect(upstream.requests[0]!.headers).toContain('connection: close')
    await send('', 'Content-Length: 0')
    await turns()
    await send('')
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 1, 1])
  },
)

test('what follows a request on the connection of a client is a request of its own, decided by itself', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = ({ action }) => (action.summary === 'GET /admin' ? 'deny' : 'allow')
  const body = 'hello'
  const first = request('/crm/v1', { method: 'POST', headers: ['Content-Length: 5'], body })
  await gateway.raw(first + request('/crm/admin'), 2)
  expect(gateway.gate.attempts.map(({ action }) => action.summary)).toEqual([
    'POST /v1',
    'GET /admin',
  ])
  expect(upstream.requests.map(({ line }) => line)).toEqual(['POST /v1 HTTP/1.1'])
})

test('trailers do not become headers: they are left out', async () => {
  const { upstream, gateway } = await behind()
  const body = `${chunk('hello')}0\r\nX-User: root\r\nAuthorization: Bearer x\r\nHost: evil\r\n\r\n`
  const headers = ['Transfer-Encoding: chunked', 'Trailer: X-User']
  expect(statusOf(await gateway.raw(request('/crm/v1', { method: 'POST', headers, body })))).toBe(
    200,
  )
  expect(upstream.requests[0]!.body).toBe('5\r\nhello\r\n0\r\n\r\n')
})

test('chunk extensions end here', async () => {
  const { upstream, gateway } = await behind()
  const body = '5;x="0\\r\\n"\r\nhello\r\n0;y\r\n\r\n'
  const headers = ['Transfer-Encoding: chunked']
  await gateway.raw(request('/crm/v1', { method: 'POST', headers, body }))
  expect(upstream.requests.map(({ body: sent }) => sent)).toEqual(['5\r\nhello\r\n0\r\n\r\n'])
})

const framings = fc.array(
  fc.constantFrom(
    ...[
      'Content-Length: 0',
      'Content-Length: 5',
      'Content-Length: 60',
      'content-length: 05',
      'Content-Length:5 ',
    ],
    ...[
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: Chunked',
      'Transfer-encoding:chunked ',
      'Transfer-Encoding: identity',
    ],
    ...[
      'Transfer-Encoding: "chunked"',
      'X: Transfer-Encoding: chunked',
      'Connection: close',
      'Expect: 100-continue',
    ],
  ),
  { maxLength: 4 },
)
const bodies = fc.constantFrom(
  '',
  'hello',
  `0\r\n\r\n${smuggled}`,
  `${chunk('hello')}0\r\n\r\n`,
  smuggled,
)

test('the upstream counts no request that the gate did not decide', async () => {
  const { upstream, gateway } = await behind()
  await fc.assert(
    fc.asyncProperty(
      framings,
      bodies,
      fc.constantFrom('POST', 'GET', 'DELETE'),
      async (headers, body, method) => {
        const bytes = request('/crm/v1', { method, headers: [...headers, 'X-End: 1'], body })
        await gateway.raw(bytes, 1, 20)
        expect(upstream.requests.length).toBeLessThanOrEqual(gateway.gate.attempts.length)
        for (const { line } of upstream.requests)
          expect(line).toMatch(/^(POST|GET|DELETE) \/v1 HTTP\/1\.1$/)
      },
    ),
    { numRuns: 100 },
  )
})
