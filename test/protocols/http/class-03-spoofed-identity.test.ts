import { expect, test } from 'vitest'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 3: identity headers that the agent writes itself (oauth2-proxy GHSA-vjrc-mh2v-45x6, Istio CVE-2026-26308).

const credential = { header: 'X-Api-Key', value: 'the-real-key' }

test('the upstream sees exactly the injected value, once, and none of the spoofed ones', async () => {
  const { upstream, gateway } = await behind(undefined, { credential })
  const headers = [
    'X-API-KEY: spoofed',
    'X-User: root',
    'X-Remote-User: root',
    'Remote-User: root',
    'X-Forwarded-User: root',
    'X-Forwarded-Email: root@example.com',
    'X-Forwarded-Groups: admins',
    'X-Auth-Request-User: root',
    'X-Remote-Extra-Scopes: all',
    'X-Goog-Authenticated-User-Email: root@example.com',
    'X-MS-Client-Principal: root',
    'X-Amzn-Oidc-Identity: root',
    'Cf-Access-Authenticated-User-Email: root@example.com',
    'X-Forwarded-Client-Cert: Subject=root',
    'X-SSL-Client-S-DN: CN=root',
    'X-WEBAUTH-USER: root',
    'X-Envoy-Original-Path: /root',
    'X-Forwarded: root',
    'OIDC-CLAIM-sub: root',
    'SM-User: root',
    'X-AppEngine-User-Email: root@example.com',
  ]
  expect(statusOf(await gateway.raw(request('/crm/v1', { headers })))).toBe(200)
  const { raw, headers: sent } = upstream.requests[0]!
  expect(raw).not.toMatch(/root|admins|spoofed/)
  expect(sent.filter((line) => /^x-api-key:/i.test(line))).toEqual(['x-api-key: the-real-key'])
  expect(sent.at(-1)).toBe('x-api-key: the-real-key')
})

test('a credential whose header has an underscore in it: nobody adds another with a dash', async () => {
  const { upstream, gateway } = await behind(undefined, {
    credential: { ...credential, header: 'X_Api_Key' },
  })
  const headers = ['X-Api-Key: spoofed']
  expect(statusOf(await gateway.raw(request('/crm/v1', { headers })))).toBe(200)
  const { headers: sent } = upstream.requests[0]!
  expect(sent.filter((line) => /^x.api.key:/i.test(line))).toEqual(['x_api_key: the-real-key'])
})

test.for([
  'X_User',
  'X_Api_Key',
  'Content_Length',
  'Transfer_Encoding',
  'Authorization_',
  'X.User',
  'X~User',
  'X|User',
])('a name that becomes another one behind CGI is refused: %s', async (name) => {
  const { upstream, gateway } = await behind(undefined, { credential })
  const answer = await gateway.raw(request('/crm/v1', { headers: [`${name}: root`] }))
  expect(statusOf(answer)).toBe(400)
  expect(problemIn(answer).detail).toMatch(/header name/)
  expect(upstream.connections).toEqual([])
})

test.for([
  'X-Api-Key',
  'X-Custom',
  'Cookie',
  'Content-Type',
  'Idempotency-Key',
  'Range',
  'Sallyport-Reason',
])('several values of %s are refused: servers differ in which one counts', async (name) => {
  const { upstream, gateway } = await behind()
  const headers = [`${name}: a`, `${name.toLowerCase()}: b`]
  const answer = await gateway.raw(request('/crm/v1', { headers }))
  expect(statusOf(answer)).toBe(400)
  expect(problemIn(answer).detail).toMatch(/more than once/)
  expect(upstream.connections).toEqual([])
})

test('lists may have several lines', async () => {
  const { upstream, gateway } = await behind()
  const headers = ['Accept: text/html', 'Accept: application/json']
  expect(statusOf(await gateway.raw(request('/crm/v1', { headers })))).toBe(200)
  expect(upstream.requests[0]!.raw).toContain('accept: text/html\r\naccept: application/json\r\n')
  expect(gateway.gate.attempts[0]!.action.attributes['http']!['headers']).toMatchObject({
    accept: 'text/html, application/json',
  })
})

test.for(['Impersonate-User', 'Impersonate-Group', 'Impersonate-Extra-Scopes'])(
  'to act as somebody else through the credential of the gateway is refused: %s',
  async (name) => {
    const { upstream, gateway } = await behind()
    const answer = await gateway.raw(request('/crm/v1', { headers: [`${name}: root`] }))
    expect(statusOf(answer)).toBe(400)
    expect(upstream.connections).toEqual([])
  },
)

test("the gateway's token never reaches the upstream", async () => {
  const { upstream, gateway } = await behind()
  await gateway.raw(request('/crm/v1'))
  expect(upstream.requests[0]!.raw).not.toMatch(/authorization|alice/i)

  const own = 'GET /crm/v1 HTTP/1.1\r\nHost: gateway\r\nSallyport-Authorization: Bearer alice\r\n'
  await gateway.raw(`${own}Authorization: Bearer agents-own\r\nSallyport-Reason: because\r\n\r\n`)
  expect(upstream.requests[1]!.raw).toContain('authorization: Bearer agents-own\r\n')
  expect(upstream.requests[1]!.raw).not.toMatch(/sallyport|alice|because/i)
  expect(gateway.gate.attempts[1]!.action).toMatchObject({
    subject: { subject: 'alice' },
    agentReason: 'because',
  })
})

test('where the resource injects Authorization, the one that the agent sends is dropped', async () => {
  const injected = { header: 'authorization', value: 'Bearer the-real-one' }
  const { upstream, gateway } = await behind(undefined, { credential: injected })
  const own = 'GET /crm/v1 HTTP/1.1\r\nHost: gateway\r\nSallyport-Authorization: Bearer alice\r\n'
  await gateway.raw(`${own}Authorization: Bearer agents-own\r\n\r\n`)
  const sent = upstream.requests[0]!.headers.filter((line) => /^authorization/i.test(line))
  expect(sent).toEqual(['authorization: Bearer the-real-one'])
})
