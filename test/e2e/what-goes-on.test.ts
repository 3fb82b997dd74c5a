import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PolicyFile } from './policy-file.ts'

// What was allowed is no right to go on: streams and WebSockets end with what opened them.

const soon = { timeout: 60_000, interval: 50 }

const rules = `
rules:
  - name: agents-listen
    who: { group: agents }
    on: crm
    what: { http: { method: GET, path: /v1/** } }
    when: 'action.http.upgrade == ""'
    then: allow
  - name: agents-talk
    who: { group: agents }
    on: crm
    what: { http: { method: GET, path: /v1/live } }
    when: 'action.http.upgrade == "websocket"'
    then: allow
  - name: shells-need-a-lead
    on: crm
    what: { http: { method: GET, path: /v1/shell } }
    then: hold
    approval: { from: { group: support-leads }, expires: 12s }
`
const nobodyListens = `${rules}
  - name: nobody-listens
    on: crm
    what: { http: { method: GET, path: /v1/events } }
    then: deny
`

let upstream: Server
let gateway: TestGateway
let gone = 0

beforeAll(async () => {
  upstream = createServer((message, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
    const timer = setInterval(() => response.write('data: more\n\n'), 100)
    message.on('close', () => {
      clearInterval(timer)
      gone++
    })
  })
  const sockets = new WebSocketServer({ server: upstream })
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => socket.send(data)).on('error', () => undefined),
  )
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  gateway = await startTestGateway({
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    policies: { 'crm.yaml': rules },
    resource: 'websockets: true',
  })
})

afterAll(async () => {
  await gateway.close()
  upstream.closeAllConnections()
  upstream.close()
})

async function agentKey(): Promise<{ id: string; key: string }> {
  const made = await gateway.person('dana', '/api/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'live-bot',
      groups: ['agents'],
      owner: { issuer: gateway.issuer.issuer, subject: 'priya' },
    }),
  })
  expect(made.status).toBe(201)
  const { key, token } = (await made.json()) as { key: { id: string }; token: string }
  return { id: key.id, key: token }
}

function talk(path: string, token: string): WebSocket {
  const url = `${gateway.agentsUrl.replace('http', 'ws')}/crm${path}`
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
  socket.on('error', () => undefined)
  onTestFinished(() => socket.terminate())
  return socket
}

/** Outcomes on record, the last one first. */
async function outcomes(): Promise<Record<string, unknown>[]> {
  const events = (await gateway.auditLog()).map((line) => JSON.parse(line) as never)
  return events
    .filter(({ type }) => type === 'action.completed')
    .map(({ outcome }) => outcome as Record<string, unknown>)
    .toReversed()
}

async function ended(socket: WebSocket): Promise<string> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return `${code} ${String(reason)}`
}

test('server-sent events: the first one comes at once, and the last one when a policy says no', async () => {
  const response = await gateway.agent('/crm/v1/events')
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  expect(Buffer.from(value).toString()).toBe('data: first\n\n')

  await new PolicyFile(gateway).change(nobodyListens)
  const rest = (async () => {
    while (!(await reader.read()).done);
  })()
  await expect(rest).rejects.toThrow('terminated')
  await expect.poll(() => gone, soon).toBe(1)
  await expect
    .poll(async () => (await outcomes())[0], soon)
    .toMatchObject({
      result: 'failed',
      status: 200,
      error: 'denied',
    })
})

test('a WebSocket whose key is revoked is cut, and what was said is on record', async () => {
  const { id, key } = await agentKey()
  const socket = talk('/v1/live', key)
  await once(socket, 'open')
  socket.send('hello')
  expect(String((await once(socket, 'message'))[0])).toBe('hello')
  const end = ended(socket)
  await gateway.person('dana', `/api/keys/${id}/revoke`, { method: 'POST' })
  expect(await end).toBe('1008 unauthenticated')
  await expect
    .poll(async () => (await outcomes())[0], soon)
    .toMatchObject({
      result: 'succeeded',
      status: 101,
      error: 'unauthenticated',
      websocket: { from_agent: { frames: 1, bytes: 11 }, to_agent: { frames: 1, bytes: 7 } },
    })
})

test('an opening that people have to approve opens when they did, and ends when their approval does', async () => {
  const socket = talk('/v1/shell', await gateway.agentToken())
  const approval = await gateway.pending()
  expect(approval.action.payload['headers']).toContainEqual({ name: 'upgrade', value: 'websocket' })
  const opened = once(socket, 'open')
  const end = ended(socket)
  expect((await gateway.vote('noor', approval)).status).toBe(200)
  await opened
  expect(await end).toBe('1008 approval-expired')
})

test('an opening that no rule covers is denied', async () => {
  const socket = talk('/v1/other', await gateway.agentToken())
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode: number },
  ]
  expect(response.statusCode).toBe(403)
})
