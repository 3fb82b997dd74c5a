import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonical } from '../../../src/audit/canonical.ts'
import { Unknown } from '../../../src/core/action.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import { readQuery } from '../../../src/protocols/http/query.ts'
import { readJson } from '../../../src/protocols/http/strict/strict-json.ts'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 9: duplicate or differently-cased JSON keys, numbers beyond 2^53, duplicate query keys (MCP Go SDK CVE-2026-27896).

const ambiguous: Record<string, string> = {
  'a key twice': '{"amount":1,"amount":100000}',
  'a key twice, deep inside': '{"a":[{"b":{"c":1,"c":2}}]}',
  'a key twice, once escaped': '{"amount":1,"\\u0061mount":2}',
  'keys that differ in case': '{"amount":1,"Amount":100000}',
  'keys that differ for who folds no Unicode': '{"kind":1,"\u212aind":2}',
  'a long s': '{"amounts":1,"amount\u017f":2}',
  'an integer beyond 2^53': '{"id":9007199254740993}',
  'an integer that is a double, beyond 2^53': '{"id":9007199254740992}',
  'a number that no double is': '{"x":1e400}',
  'a fraction with more digits than a double': '{"x":0.12345678901234567890123}',
  'a number that becomes zero': '{"x":1e-400}',
  'half of a surrogate pair': '{"x":"\\ud800"}',
  'a NUL': '{"x":"a\\u0000b"}',
  'a NUL in a key': '{"a\\u0000b":1}',
  'nesting without end': `${'['.repeat(200)}${']'.repeat(200)}`,
  'more values than a rule should look at': `[${'1,'.repeat(20_000)}1]`,
  'no JSON': '{amount:1}',
  'a comma too many': '{"amount":1,}',
  'a comment': '{"amount":1/* or 2 */}',
  'two values': '{"amount":1}{"amount":2}',
  'a byte order mark': '\ufeff{"amount":1}',
  nothing: '   ',
}

test('a key that V8 13.6 takes for one of an earlier body: a rule sees the one that the upstream sees', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.readsBody = true
  const send = (body: string) => {
    const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`]
    return gateway.raw(request('/crm/v1', { method: 'POST', headers, body }))
  }
  const hidden = '{"name":1,"admi\\u006e":true}'
  for (let time = 0; time < 3; time++) await send('{"name":1,"admi\\\\":2}')
  await send(hidden)
  const { http } = gateway.gate.attempts.at(-1)!.action.attributes
  expect(http!['json']).toEqual({ name: 1, admin: true })
  expect(upstream.requests.at(-1)!.body).toBe(hidden)
})

test.for(Object.entries(ambiguous))('%s is unknown', ([, text]) => {
  expect(readJson(Buffer.from(text))).toBeInstanceOf(Unknown)
})

test('why something is unknown can be recorded: a denied request cannot keep itself out of the log', () => {
  const key = `${'a'.repeat(39)}\u{1f600}`
  const found = readJson(Buffer.from(`{"${key}":1,"${key}":2}`))
  expect((found as Unknown).unknown.isWellFormed()).toBe(true)
  const nested = (levels: number) => Buffer.from(`${'['.repeat(levels)}${']'.repeat(levels)}`)
  expect(readJson(nested(65))).toBeInstanceOf(Unknown)
  const attributes = { http: { json: readJson(nested(64)) as JsonValue } }
  expect(() => canonical(attributes)).not.toThrow()
})

test('bytes that are not UTF-8 are unknown', () => {
  expect(readJson(Buffer.from('{"x":"\xff"}', 'latin1'))).toBeInstanceOf(Unknown)
  expect(readJson(Buffer.from('{"x":"\xc0\xaf"}', 'latin1'))).toBeInstanceOf(Unknown)
})

test('a megabyte of brackets is unknown, and takes no time and no stack', () => {
  expect(readJson(Buffer.from('['.repeat(1024 * 1024)))).toBeInstanceOf(Unknown)
  expect(readJson(Buffer.from('{"a":'.repeat(200_000)))).toBeInstanceOf(Unknown)
})

test('clear JSON is read as it is', () => {
  const texts = [
    '{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}',
    '{"x":9007199254740991,"y":-9007199254740991,"z":-0,"f":1.10,"e":1.5e3,"small":1e-7,"z2":0.000}',
    '{"s":"a\\"b{[,:1","t":"\\ud83d\\ude00","__proto__":{"a":1},"constructor":2}',
    '"text"',
    '0',
    'null',
    '[]',
    ' { "a" : [ ] } ',
  ]
  for (const text of texts) expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text))
})

test('whatever JSON is made of a value is read back, or has a reason not to be', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const read = readJson(Buffer.from(text))
      if (read instanceof Unknown) {
        expect(read.unknown).toMatch(/more than once|number|NUL|surrogate/)
      } else {
        expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(text)))
      }
    }),
    { numRuns: 500 },
  )
})

test.for(['a=1&a=2', 'a=1&A=2', 'a=1&%61=2', 'a=1&a[]=2', 'a=1;b=2', 'a=%ff', '%ff=1', 'a=%c0%af'])(
  'the query %s is unknown',
  (query) => {
    expect(readQuery(query, notSecret)).toBeInstanceOf(Unknown)
  },
)

test('a clear query is read', () => {
  expect(readQuery(null, notSecret)).toEqual({})
  expect(readQuery('', notSecret)).toEqual({})
  expect(readQuery('a=1&b=x+y%20z&c&d=&&e%5B%5D=1&e[]=2&__proto__=x', notSecret)).toEqual({
    a: '1',
    b: 'x y z',
    c: '',
    d: '',
    'e[]': ['1', '2'],
    ['__proto__']: 'x',
  })
})

const notSecret = () => false

const json = ['Content-Type: application/json']
const post = (body: string, headers = json) =>
  request('/crm/v1/refunds', {
    method: 'POST',
    headers: [...headers, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`],
    body,
  })

test('where a rule reads the body, policy gets the JSON or an unknown, and the upstream the original bytes', async () => {
  const { upstream, gateway } = await behind(undefined, {}, { maxBody: 64 })
  gateway.gate.readsBody = true
  const seen = async (bytes: string) => {
    expect(statusOf(await gateway.raw(bytes))).toBe(200)
    return gateway.gate.attempts.at(-1)!.action.attributes['http']!['json']
  }
  const clear = '{ "amount" : 1.50, "to": "x" }'
  expect(await seen(post(clear))).toEqual({ amount: 1.5, to: 'x' })
  expect(upstream.requests.at(-1)!.body).toBe(clear)
  const twice = '{"amount":1,"amount":100000}'
  expect(await seen(post(twice))).toEqual(new Unknown('the body has the key amount more than once'))
  expect(upstream.requests.at(-1)!.body).toBe(twice)
  const large = JSON.stringify({ text: 'x'.repeat(100) })
  expect(await seen(post(large))).toEqual(new Unknown('the body has more than 64 bytes'))
  expect(upstream.requests.at(-1)!.body).toBe(large)
  const chunked = request('/crm/v1', {
    method: 'POST',
    headers: [...json, 'Transfer-Encoding: chunked'],
    body: `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
  })
  expect(await seen(chunked)).toEqual(new Unknown('the body has more than 64 bytes'))
  expect(upstream.requests.at(-1)!.body).toContain(large)

  expect(await seen(post(clear, ['Content-Type: text/plain']))).toBeInstanceOf(Unknown)
  expect(await seen(post(clear, []))).toBeInstanceOf(Unknown)
  expect(await seen(post(clear, [...json, 'Content-Encoding: gzip']))).toBeInstanceOf(Unknown)
  expect(
    await seen(post(clear, ['Content-Type: application/json; charset=utf-16'])),
  ).toBeInstanceOf(Unknown)
  expect(
    await seen(post(clear, ['Content-Type: application/merge-patch+json; charset=UTF-8'])),
  ).toEqual({ amount: 1.5, to: 'x' })
  expect(await seen(request('/crm/v1'))).toBe(null)
})

test.for([
  'application/x-www-form-urlencoded+json',
  'application/json; a=urlencoded',
  'application/json; boundary="multipart/form-data"',
  'multipart/json',
  'application/json\xa0',
  'application/json, text/plain',
  'application/json;charset=utf-8;charset=utf-16',
])('a body that some servers take for another format is unknown: %s', async (type) => {
  const { gateway } = await behind()
  gateway.gate.readsBody = true
  // Good JSON, and a form in which the amount is another.
  await gateway.raw(post('{"amount":1,"x":"&amount=100000&"}', [`Content-Type: ${type}`]))
  expect(gateway.gate.attempts[0]!.action.attributes['http']!['json']).toBeInstanceOf(Unknown)
})

test('a duplicate query key is unknown to rules, and is forwarded as it came', async () => {
  const { upstream, gateway } = await behind()
  await gateway.raw(request('/crm/v1?role=user&role=admin'))
  expect(gateway.gate.attempts[0]!.action.attributes['http']!['query']).toBeInstanceOf(Unknown)
  expect(upstream.requests[0]!.line).toBe('GET /v1?role=user&role=admin HTTP/1.1')
})

test.for(Object.entries(ambiguous).filter(([name]) => name !== 'nothing'))(
  'what is held is clear, or refused: %s',
  async ([, text]) => {
    const { upstream, gateway } = await behind()
    gateway.gate.verdict = () => 'hold'
    const answer = await gateway.raw(post(Buffer.from(text).toString('latin1')))
    expect(statusOf(answer)).toBe(400)
    expect(problemIn(answer)).toMatchObject({
      type: 'https://sallyport.dev/problems/ambiguous-request',
      detail: expect.stringMatching(/cannot be shown clearly/) as string,
    })
    expect(gateway.gate.sealed).toEqual([])
    expect(upstream.connections).toEqual([])
  },
)
