import { expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 4: `Connection: authorization` (Hono GHSA-79qm-7rj5-m7r9).

test.for([
  'authorization',
  'close, X-Api-Key',
  'host',
  'content-length',
  'cookie',
  'x-custom',
  'transfer-encoding',
])('Connection: %s is refused', async (value) => {
  const { upstream, gateway } = await behind(undefined, {
    credential: { header: 'Authorization', value: 'Bearer injected' },
  })
  const answer = await gateway.raw(request('/crm/v1', { headers: [`Connection: ${value}`] }))
  expect(statusOf(answer)).toBe(400)
  expect(problemIn(answer).detail).toMatch(/hop-by-hop/)
  expect(upstream.connections).toEqual([])
})

test('hop-by-hop headers end at the gateway; the injected credential arrives', async () => {
  const { upstream, gateway } = await behind(undefined, {
    credential: { header: 'Authorization', value: 'Bearer injected' },
  })
  const headers = [
    'Connection: keep-alive, TE',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eHg=',
    'TE: trailers',
    'Trailer: X-Checksum',
  ]
  expect(statusOf(await gateway.raw(request('/crm/v1', { headers })))).toBe(200)
  const { raw } = upstream.requests[0]!
  expect(raw).toContain('authorization: Bearer injected\r\n')
  expect(raw).not.toMatch(/connection|keep-alive|proxy|te:|trailer/i)
})

test('headers that the upstream names in Connection, and its own hop-by-hop ones, end here too', async () => {
  const { gateway } = await behind(() =>
    ok(
      'ok',
      'Connection: X-Internal, keep-alive\r\nX-Internal: 1\r\nKeep-Alive: timeout=9\r\nX-Kept: 1\r\n',
    ),
  )
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).toMatch(/x-kept: 1/i)
  expect(answer).not.toMatch(/x-internal|timeout=9/i)
})

test('an upstream cannot take the length away from its own answer', async () => {
  const { gateway } = await behind(() => ok('ok', 'Connection: Content-Length\r\n'))
  expect(await gateway.raw(request('/crm/v1'))).toMatch(/content-length: 2\r\n/i)
})

test('Sallyport-* in an answer is the gateway speaking, never the upstream', async () => {
  const { gateway } = await behind(() => ok('ok', 'Sallyport-Action: forged\r\nSallyport-X: 1\r\n'))
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).not.toMatch(/forged|sallyport-x/i)
  expect(answer).toContain(`Sallyport-Action: ${gateway.gate.attempts[0]!.action.id}\r\n`)
})
