import { expect, test } from 'vitest'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 8: method override headers, and the case of verbs.

test.for([
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'X-Method-Override: DELETE',
  'x-http-method-override: delete',
  'X-Original-URL: /admin',
  'X-Rewrite-URL: /admin',
  'X-Original-Method: DELETE',
  'X-Middleware-Subrequest: middleware',
])('%s is refused', async (header) => {
  const { upstream, gateway } = await behind()
  const headers = [header, 'Content-Length: 0']
  const answer = await gateway.raw(request('/crm/v1', { method: 'POST', headers }))
  expect(statusOf(answer)).toBe(400)
  expect(problemIn(answer).detail).toMatch(/makes some servers run another/)
  expect(upstream.connections).toEqual([])
})

test.for([
  '?_method=DELETE',
  '?a=1&_method=delete',
  '?_METHOD=DELETE',
  '?%5fmethod=DELETE',
  '?a;_method=DELETE',
  '?x=1&x=2&_HttpMethod=PATCH',
  '?$httpMethod=DELETE',
])('the parameter in %s is refused', async (query) => {
  const { upstream, gateway } = await behind()
  const answer = await gateway.raw(
    request(`/crm/v1${query}`, { method: 'POST', headers: ['Content-Length: 0'] }),
  )
  expect(statusOf(answer)).toBe(400)
  expect(upstream.connections).toEqual([])
})

test.for(['get', 'Get', 'pOST', 'DELETE\t', 'FOO'])('the verb %s is not one', async (method) => {
  const { upstream, gateway } = await behind()
  const answer = await gateway.raw(request('/crm/v1', { method }))
  expect(statusOf(answer)).toBe(400)
  expect(upstream.connections).toEqual([])
})

test('a verb goes on as it is, and only a declared route is a read', async () => {
  const { upstream, gateway } = await behind(undefined, {
    read: ['GET /v1/**', 'POST /v1/search'],
  })
  const effects = {
    'GET /v1/x': 'read',
    'GET /v2/x': 'unknown',
    'HEAD /v1/x': 'unknown',
    'OPTIONS /v1/x': 'unknown',
    'PROPFIND /v1/x': 'unknown',
    'POST /v1/x': 'write',
    'POST /v1/search': 'read',
    'PUT /v1/search': 'write',
    'PATCH /v1/x': 'write',
    'DELETE /v1/x': 'write',
    'GET /v1/%73': null,
  }
  for (const [line, effect] of Object.entries(effects)) {
    const [method, path] = line.split(' ') as [string, string]
    const answer = await gateway.raw(
      request(`/crm${path}`, { method, headers: ['Connection: close'] }),
    )
    if (effect === null) {
      expect(statusOf(answer)).toBe(400)
      continue
    }
    expect(statusOf(answer), line).toBe(200)
    expect(upstream.requests.at(-1)!.line).toBe(`${line} HTTP/1.1`)
    expect(gateway.gate.attempts.at(-1)!.action).toMatchObject({ effect, summary: line })
  }
})
