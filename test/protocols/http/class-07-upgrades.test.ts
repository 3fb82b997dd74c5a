import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 7: HTTP/2, h2c, CONNECT and WebSockets around the policy (http-proxy CVE-2026-15631).

const websocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==',
  'Sec-WebSocket-Version: 13',
]

const attacks: Record<string, string> = {
  'a WebSocket': request('/crm/v1', { headers: websocket }),
  'a WebSocket with a body': request('/crm/v1', {
    headers: [...websocket, 'Content-Length: 2'],
    body: 'ok',
  }),
  'an upgrade without Connection': request('/crm/v1', { headers: ['Upgrade: websocket'] }),
  'several upgrades': request('/crm/v1', {
    headers: ['Connection: Upgrade', 'Upgrade: h2c, websocket'],
  }),
  'an upgrade to HTTP/2 with a body': request('/crm/v1', {
    method: 'POST',
    headers: [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Content-Length: 2',
    ],
    body: 'ok',
  }),
  'an upgrade to TLS': request('/crm/v1', { headers: ['Connection: Upgrade', 'Upgrade: TLS/1.2'] }),
  CONNECT:
    'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer alice\r\n\r\n',
  TRACE: request('/crm/v1', { method: 'TRACE' }),
}

test.for(Object.entries(attacks))('%s: 400 with a problem', async ([, bytes]) => {
  const { upstream, gateway } = await behind()
  const answer = await gateway.raw(bytes)
  expect(statusOf(answer)).toBe(400)
  expect(problemIn(answer).type).toMatch(/\/(ambiguous|bad)-request$/)
  expect(upstream.connections).toEqual([])
})

test('a CONNECT behind other requests: whoever waits learns that nobody is there any more', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.verdict = () => 'hold'
  const held = request('/crm/v1', { method: 'POST', headers: ['Content-Length: 2'], body: 'ok' })
  await gateway.raw(held + held + held + attacks['CONNECT']!)
  while (gateway.gate.sealed.length < 3) await later(1)
  while (!gateway.gate.attempts.every(({ caller }) => caller.aborted)) await later(1)
  gateway.gate.approve()
  // It ends, so nothing is under way any more.
  await gateway.close()
  expect(upstream.requests).toEqual([])
})

test('HTTP/2 without asking is not answered as if it were HTTP/1.1', async () => {
  const { upstream, gateway } = await behind()
  const answer = await gateway.raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  expect(answer === '' || statusOf(answer) === 400).toBe(true)
  expect(upstream.connections).toEqual([])
})

test('an offer of HTTP/2 is left unanswered, and ends here: the request goes on under the same policy', async () => {
  const { upstream, gateway } = await behind()
  const headers = [
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ]
  const answer = await gateway.raw(request('/crm/v1', { headers }) + request('/crm/second'), 2)
  expect(statusOf(answer)).toBe(200)
  expect(answer).toMatch(/\r\nConnection: close\r\n/)
  expect(upstream.requests[0]!.raw).not.toMatch(/upgrade|h2c|http2/i)
  expect(gateway.gate.attempts.map(({ action }) => action.summary)).toEqual(['GET /v1'])
})
