import { expect, onTestFinished, test } from 'vitest'
import { startUpstream } from '../../support/upstream.ts'
import { behind, problemIn, startGateway, statusOf } from './gateway.ts'

// Class 2: Host and X-Forwarded-* (oauth2-proxy GHSA-7x63-xv5r-3p2x).

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`
const token = 'Authorization: Bearer alice'

test.for([
  ['two Host headers', lines('GET /crm/ HTTP/1.1', 'Host: a', 'Host: b', token)],
  ['the same Host twice', lines('GET /crm/ HTTP/1.1', 'Host: a', 'Host: a', token)],
  ['no Host', lines('GET /crm/ HTTP/1.1', token)],
  ['an empty Host', lines('GET /crm/ HTTP/1.1', 'Host:', token)],
  ['a Host with a path', lines('GET /crm/ HTTP/1.1', 'Host: a/b', token)],
  ['a Host with user info', lines('GET /crm/ HTTP/1.1', 'Host: a@b', token)],
  ['a Host with a list', lines('GET /crm/ HTTP/1.1', 'Host: a, b', token)],
  ['an absolute target', lines('GET http://other.test/crm/ HTTP/1.1', 'Host: a', token)],
  ['an absolute target of https', lines('GET https://other.test/crm/ HTTP/1.1', 'Host: a', token)],
  ['an authority for a target', lines('GET other.test:443 HTTP/1.1', 'Host: a', token)],
] as const)('%s: 400', async ([, bytes]) => {
  const { upstream, gateway } = await behind()
  const answer = await gateway.raw(bytes)
  expect(statusOf(answer)).toBe(400)
  expect(problemIn(answer).type).toMatch(/\/(ambiguous|bad)-request$/)
  expect(upstream.connections).toEqual([])
})

test('X-Forwarded-* changes neither the route nor anything that is recorded, and does not reach the upstream', async () => {
  const [crm, secret] = [await startUpstream(), await startUpstream()]
  onTestFinished(crm.close)
  onTestFinished(secret.close)
  const gateway = await startGateway([
    { name: 'crm', match: { prefix: '/crm' }, upstream: crm.url },
    { name: 'secret', match: { host: 'secret.internal' }, upstream: secret.url },
  ])
  onTestFinished(gateway.close)
  const forwarded = [
    'X-Forwarded-Host: secret.internal',
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Prefix: /secret',
    'X-Forwarded-Uri: /secret',
    'Forwarded: for=10.0.0.1;host=secret.internal',
    'X-Real-IP: 10.0.0.1',
    'X-Host: secret.internal',
    'Via: 1.1 secret.internal',
  ]
  const answer = await gateway.raw(
    lines('GET /crm/v1 HTTP/1.1', 'Host: gateway', token, ...forwarded),
  )
  expect(statusOf(answer)).toBe(200)
  expect(secret.connections).toEqual([])
  const { raw } = crm.requests[0]!
  expect(raw).not.toMatch(/secret|forwarded|10\.0\.0\.1|via/i)
  expect(raw).toContain(`host: 127.0.0.1:${crm.port}\r\n`)
  expect(JSON.stringify(gateway.gate.attempts[0]!.action)).not.toMatch(
    /secret\.internal|10\.0\.0\.1/,
  )
})

test('a resource with a host gets requests with that Host, whatever their case and port, and no others', async () => {
  const upstream = await startUpstream()
  onTestFinished(upstream.close)
  const gateway = await startGateway([
    { name: 'crm', match: { host: 'crm.internal' }, upstream: upstream.url },
  ])
  onTestFinished(gateway.close)
  const status = async (host: string, target = '/v1') =>
    statusOf(await gateway.raw(lines(`GET ${target} HTTP/1.1`, `Host: ${host}`, token)))
  expect(await status('crm.internal')).toBe(200)
  expect(await status('CRM.internal:8080')).toBe(200)
  expect(await status('crm.internal.evil.test')).toBe(404)
  expect(await status('evil-crm.internal')).toBe(404)
  expect(await status('[::1]:8080')).toBe(404)
  // All of its paths are its own, the gateway's too.
  expect(await status('crm.internal', '/access/v1/requests/1')).toBe(200)
  expect(upstream.requests.at(-1)!.line).toBe('GET /access/v1/requests/1 HTTP/1.1')
})
