import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/protocols/http/seal.ts'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 11: changed between approval and use (PraisonAI CVE-2026-56074).

const token = fc.stringMatching(/^[a-z-]{1,8}$/)
const value = fc.stringMatching(/^[\x20-\x7e]{0,12}$/)
const payload = fc.record({
  method: fc.constantFrom('POST', 'PUT', 'DELETE'),
  target: fc.stringMatching(/^\/[a-z0-9/?=&]{0,20}$/),
  headers: fc.array(fc.record({ name: token, value }), { maxLength: 4 }),
  body: fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))),
})

test('the digest is that of the documented framing', () => {
  // docs/http.md, "The digest": computed there with sha256sum, not with this code.
  const headers = [{ name: 'content-type', value: 'application/json' }]
  const digest = digestOf({ method: 'POST', target: '/v1/refunds', headers }, Buffer.from('{}'))
  expect(digest).toBe('9c7311f1fbe3183c9483ffc1415640e821ce4b8ff5594544670f5c36a30b71ff')
})

test('equal requests have equal digests; requests that differ in anything have different ones', () => {
  const seen = new Map<string, string>()
  fc.assert(
    fc.property(payload, (one) => {
      const digest = digestOf(one, one.body)
      const identity = JSON.stringify([
        one.method,
        one.target,
        one.headers.map(({ name, value: text }) => [name, text]),
        one.body?.toString('hex') ?? null,
      ])
      expect(seen.get(digest) ?? identity).toBe(identity)
      seen.set(digest, identity)
    }),
    { numRuns: 2000 },
  )
})

test('one flipped bit, anywhere, is another digest', () => {
  fc.assert(
    fc.property(payload, fc.nat(), fc.nat(7), (one, at, bit) => {
      const flip = (text: string): string => {
        const bytes = Buffer.from(text, 'latin1')
        if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << bit
        return bytes.toString('latin1')
      }
      const digest = digestOf(one, one.body)
      const others = [
        one.target !== '' && digestOf({ ...one, target: flip(one.target) }, one.body),
        digestOf({ ...one, method: flip(one.method) }, one.body),
        ...one.headers.flatMap((header, i) => [
          digestOf(
            { ...one, headers: one.headers.with(i, { ...header, name: flip(header.name) }) },
            one.body,
          ),
          header.value !== '' &&
            digestOf(
              { ...one, headers: one.headers.with(i, { ...header, value: flip(header.value) }) },
              one.body,
            ),
        ]),
        one.body &&
          one.body.length > 0 &&
          digestOf(one, Buffer.from(flip(one.body.toString('latin1')), 'latin1')),
        // Nor can a part be moved into its neighbour, or an empty body be none.
        digestOf(one, one.body === null ? Buffer.alloc(0) : null),
        digestOf({ ...one, headers: [...one.headers, { name: 'x', value: '' }] }, one.body),
      ]
      expect(others).not.toContain(digest)
    }),
    { numRuns: 300 },
  )
})

const post = (body: string, headers: string[] = [], target = '/crm/v1/refunds?x=1') =>
  request(target, {
    method: 'POST',
    headers: [
      'Content-Type: application/json',
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ],
    body,
  })

async function hold(bytes: string) {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = () => 'hold'
  const answer = gateway.raw(bytes)
  await gateway.gate.held()
  return { upstream, gateway, answer, sealed: gateway.gate.sealed[0]! }
}

test('what was approved is what runs: the approver sees all of it, and the upstream gets exactly that', async () => {
  const body = '{ "amount" : 10 }'
  const headers = [
    'X-Request-Id: 1',
    'X-Stainless-Retry-Count: 0',
    'Baggage: a=b',
    'Tracestate: a=b',
    'Date: Sat, 21 Nov 2026 00:00:00 GMT',
    'Cookie: session=topsecret',
    'X-Vendor-Token: topsecret',
    'X-AuthToken: topsecret',
    'X-Session: bearer of bad news',
    'X-Note: Bearer of bad news',
    'Idempotency-Key: once',
    'Prefer: wait=5, return=minimal',
  ]
  const { upstream, gateway, answer, sealed } = await hold(post(body, headers))
  expect(upstream.connections).toEqual([])
  expect(sealed.payload).toEqual({
    method: 'POST',
    target: '/v1/refunds?x=1',
    headers: [
      { name: 'content-type', value: 'application/json' },
      { name: 'cookie', masked: true },
      { name: 'x-vendor-token', masked: true },
      { name: 'x-authtoken', masked: true },
      { name: 'x-session', masked: true },
      { name: 'x-note', value: 'Bearer of bad news' },
      { name: 'idempotency-key', value: 'once' },
      { name: 'prefer', value: 'return=minimal' },
    ],
    body: { bytes: 17, media_type: 'application/json', text: body, json: { amount: 10 } },
  })
  gateway.gate.approve()
  expect(statusOf(await answer)).toBe(200)
  expect(upstream.requests).toHaveLength(1)
  const { raw } = upstream.requests[0]!
  expect(raw.replace(/traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01/, 'traceparent: OURS')).toBe(
    [
      'POST /v1/refunds?x=1 HTTP/1.1',
      `host: 127.0.0.1:${upstream.port}`,
      'content-type: application/json',
      'cookie: session=topsecret',
      'x-vendor-token: topsecret',
      'x-authtoken: topsecret',
      'x-session: bearer of bad news',
      'x-note: Bearer of bad news',
      'idempotency-key: once',
      'prefer: return=minimal',
      'traceparent: OURS',
      'content-length: 17',
      '',
      body,
    ].join('\r\n'),
  )
})

test('a retry of the same call is the same action; anything else is another', async () => {
  const { gateway } = await behind()
  gateway.gate.verdict = () => 'hold'
  const digestOfCall = async (bytes: string): Promise<string> => {
    const before = gateway.gate.sealed.length
    const held = gateway.gate.held()
    const answer = gateway.raw(bytes)
    await held
    gateway.gate.approve()
    await answer
    return gateway.gate.sealed[before]!.digest
  }
  const first = await digestOfCall(post('{}'))
  const again = [
    post('{}', [
      'X-Request-Id: 7',
      'X-Stainless-Retry-Count: 2',
      'Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ]),
    post('{}', ['Prefer: wait=1']),
    post('{}', [
      'Sallyport-Reason: again',
      'Sallyport-Approval: 01890000-0000-7000-8000-00000000000a',
    ]),
    post('{}', ['Connection: close', 'X-Forwarded-For: 1.2.3.4']),
    // However it is framed, and whatever the case of its headers.
    post('{}')
      .replace('Content-Type', 'CONTENT-TYPE')
      .replace('Content-Length: 2', 'Transfer-Encoding: chunked')
      .replace(/\{\}$/, '2\r\n{}\r\n0\r\n\r\n'),
  ]
  for (const bytes of again) expect(await digestOfCall(bytes)).toBe(first)
  const others = [
    post('{} '),
    post('{}', ['X-Other: 1']),
    post('{}', ['Cookie: a=1']),
    post('{}', [], '/crm/v1/refunds?x=2'),
    post('{}').replace('POST', 'PUT'),
    post('{}').replace('application/json', 'application/json;charset=utf-8'),
  ]
  for (const bytes of others) expect(await digestOfCall(bytes)).not.toBe(first)
})

test('a body that is no text is shown in full as base64, one that is no JSON as text', async () => {
  const shown = async (body: string, type: string) => {
    const bytes = request('/crm/v1', {
      method: 'POST',
      headers: [`Content-Type: ${type}`, `Content-Length: ${body.length}`],
      body,
    })
    const { gateway, answer, sealed } = await hold(bytes)
    gateway.gate.approve()
    await answer
    return sealed.payload['body']
  }
  expect(await shown('\x00\xff\x10', 'application/octet-stream')).toEqual({
    bytes: 3,
    media_type: 'application/octet-stream',
    base64: 'AP8Q',
  })
  expect(await shown('a=1&b=2', 'application/x-www-form-urlencoded')).toEqual({
    bytes: 7,
    media_type: 'application/x-www-form-urlencoded',
    text: 'a=1&b=2',
  })
  expect(await shown('a\0b', 'text/plain')).toEqual({
    bytes: 3,
    media_type: 'text/plain',
    base64: 'YQBi',
  })
})

test.for([
  ['with its length', (body: string) => [`Content-Length: ${body.length}`, body] as const],
  [
    'in chunks',
    (body: string) =>
      [
        'Transfer-Encoding: chunked',
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      ] as const,
  ],
] as const)(
  'a body that is too large to be shown is not held, and does not run: %s',
  async ([, framed]) => {
    const { upstream, gateway } = await behind(undefined, {}, { maxBody: 1000 })
    gateway.gate.verdict = () => 'hold'
    const [header, body] = framed('x'.repeat(1001))
    const answer = await gateway.raw(
      request('/crm/v1', { method: 'POST', headers: [header], body }),
    )
    expect(statusOf(answer)).toBe(413)
    expect(problemIn(answer).type).toMatch(/body-too-large$/)
    expect(upstream.connections).toEqual([])

    const [exactHeader, exact] = framed('x'.repeat(1000))
    const held = gateway.gate.held()
    const allowed = gateway.raw(
      request('/crm/v1', { method: 'POST', headers: [exactHeader], body: exact }),
    )
    await held
    gateway.gate.approve()
    expect(statusOf(await allowed)).toBe(200)
  },
)

test('a permit for another payload sends nothing', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = (attempt) => {
    // A gate that issues a permit for a digest that the request does not have.
    Object.assign(attempt, { seal: async () => ({ digest: 'f'.repeat(64), payload: {} }) })
    return 'hold'
  }
  const answer = gateway.raw(post('{}'))
  await gateway.gate.held()
  gateway.gate.approve()
  expect(statusOf(await answer)).toBe(500)
  expect(upstream.requests).toEqual([])
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed' }])
})

test('a permit that has lapsed sends nothing', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.valid = () => false
  expect(statusOf(await gateway.raw(post('{}')))).toBe(500)
  expect(upstream.requests).toEqual([])
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed' }])
})
