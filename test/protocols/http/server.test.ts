import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/errors.ts'
import { ok } from '../../support/upstream.ts'
import { behind, problemIn, request, startGateway, statusOf } from './gateway.ts'
import { taskOf } from './stand-in-gate.ts'

test.for([
  ['no credential', ''],
  ['a credential that nobody knows', 'Authorization: Bearer not-valid\r\n'],
  ['another scheme', 'Authorization: Basic YWxpY2U6\r\n'],
  ['an empty token', 'Authorization: Bearer \r\n'],
  ['a token with something behind it', 'Authorization: Bearer alice, Bearer bob\r\n'],
  [
    'a credential for the upstream only',
    'Sallyport-Authorization: Basic x\r\nAuthorization: Bearer alice\r\n',
  ],
] as const)('%s: 401, wherever it asks', async ([, credential]) => {
  const { gateway } = await behind()
  for (const target of ['/crm/v1', '/nowhere', '/', '/access/v1/requests/1']) {
    const answer = await gateway.raw(`GET ${target} HTTP/1.1\r\nHost: gateway\r\n${credential}\r\n`)
    expect(statusOf(answer)).toBe(401)
    expect(answer).toMatch(/\r\nWWW-Authenticate: Bearer realm="sallyport"\r\n/)
    expect(problemIn(answer)).toMatchObject({
      type: 'https://sallyport.dev/problems/unauthenticated',
      status: 401,
    })
  }
  expect(gateway.gate.attempts).toEqual([])
})

test.for(['/', '/nowhere', '/crmx', '/crm.', '/CRM', '/v1/crm'])(
  '%s: no resource is there',
  async (target) => {
    const { upstream, gateway } = await behind()
    const answer = await gateway.raw(request(target))
    expect(statusOf(answer)).toBe(404)
    expect(problemIn(answer).type).toBe('https://sallyport.dev/problems/no-resource')
    expect(upstream.connections).toEqual([])
  },
)

test('the longest prefix that ends where a segment does is the one', async () => {
  const { upstream } = await behind()
  const gateway = await startGateway([
    { name: 'api', match: { prefix: '/api' }, upstream: upstream.url },
    { name: 'api-crm', match: { prefix: '/api/crm' }, upstream: upstream.url },
  ])
  const resourceOf = async (target: string) => {
    await gateway.raw(request(target))
    return gateway.gate.attempts.at(-1)!.action.resource
  }
  expect(await resourceOf('/api/crm/v1')).toBe('api-crm')
  expect(await resourceOf('/api/crm')).toBe('api-crm')
  expect(await resourceOf('/api/crmx')).toBe('api')
  expect(await resourceOf('/api')).toBe('api')
  await gateway.close()
})

test('a problem of the gate reaches the agent with all of its members, and with Retry-After', async () => {
  const { gateway } = await behind()
  const task = { id: '1', status: 'pending' }
  gateway.gate.enforce = async ({ action }) => {
    throw new Problem('approval-pending', 'Wait.', { action: action.id, task, retry_after: 5 })
  }
  const answer = await gateway.raw(request('/crm/v1'))
  expect(statusOf(answer)).toBe(403)
  expect(answer).toMatch(/\r\nRetry-After: 5\r\n/)
  expect(problemIn(answer)).toMatchObject({ detail: 'Wait.', task })
})

test('a defect forwards nothing, is logged, and keeps its message to itself', async () => {
  const { upstream, gateway } = await behind()
  gateway.gate.enforce = async () => {
    throw new TypeError('secret detail')
  }
  const answer = await gateway.raw(
    request('/crm/v1', { method: 'POST', headers: ['Content-Length: 2'], body: 'ok' }),
  )
  expect(statusOf(answer)).toBe(500)
  expect(answer).not.toContain('secret detail')
  expect(problemIn(answer).type).toBe('https://sallyport.dev/problems/internal-error')
  expect(gateway.logged.join('')).toContain('secret detail')
  expect(gateway.logged.join('')).not.toContain('alice')
  expect(upstream.connections).toEqual([])
})

test('agents ask for their own requests, and take them back', async () => {
  const { gateway } = await behind()
  const own = await gateway.raw(request(`/access/v1/requests/${taskOf['alice']}`))
  expect(statusOf(own)).toBe(200)
  expect(own).toMatch(/content-type: application\/json/i)
  expect(problemIn(own)).toEqual({ task: { id: taskOf['alice'], status: 'pending' } })
  const others = await gateway.raw(request(`/access/v1/requests/${taskOf['bob']}`))
  expect(statusOf(others)).toBe(404)
  expect(problemIn(others).type).toBe('https://sallyport.dev/problems/not-found')
  for (const id of ['1', "'", taskOf['alice']!.toUpperCase()]) {
    expect(statusOf(await gateway.raw(request(`/access/v1/requests/${id}`)))).toBe(404)
  }
  const headers = ['Content-Type: application/json', 'Content-Length: 0']
  const cancelled = await gateway.raw(
    request(`/access/v1/requests/${taskOf['alice']}/cancel`, { method: 'POST', headers }),
  )
  expect(problemIn(cancelled)).toEqual({ task: { id: taskOf['alice'], status: 'cancelled' } })
  const withBody = ['Content-Type: not/a;;type', 'Content-Length: 2']
  const body = await gateway.raw(
    request(`/access/v1/requests/${taskOf['bob']}/cancel`, {
      method: 'POST',
      headers: withBody,
      body: '{}',
    }),
  )
  expect(statusOf(body)).toBe(404)
  expect(
    statusOf(
      await gateway.raw(request(`/access/v1/requests/${taskOf['alice']}`, { method: 'DELETE' })),
    ),
  ).toBe(404)
  expect(gateway.gate.attempts).toEqual([])
})

test.for([
  '\x16\x03\x01\x02\x00\x01\x00',
  'GET\r\n\r\n',
  'nonsense\r\n\r\n',
  'GET / HTTP/3.0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost gateway\r\n\r\n',
])('what is not HTTP/1.1 gets a problem, and the connection ends: %j', async (bytes) => {
  const { gateway } = await behind()
  const answer = await gateway.raw(bytes)
  expect(statusOf(answer)).toBe(400)
  expect(answer).toMatch(/\r\nConnection: close\r\n/)
  expect(problemIn(answer).type).toBe('https://sallyport.dev/problems/bad-request')
})

test('what is not HTTP in the middle of an answer does not become a part of it', async () => {
  const { upstream, gateway } = await behind(
    () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
  )
  const client = connect(gateway.port, '127.0.0.1')
  let answer = ''
  client.on('data', (bytes) => (answer += bytes.toString('latin1')))
  client.write(request('/crm/v1'))
  await upstream.received(1)
  while (!answer.includes('half')) await later(2)
  client.write('nonsense\r\n\r\n')
  await once(client, 'close')
  expect(answer).toMatch(/half$/)
})

test('closing: no more connections, and everything under way gets its answer', async () => {
  const { upstream } = await behind(({ line }) =>
    line.includes('/slow') ? () => undefined : ok('ok'),
  )
  const gateway = await startGateway([{ upstream: upstream.url }])
  gateway.gate.verdict = ({ action }) => (action.summary.startsWith('POST') ? 'hold' : 'allow')
  const idle = connect(gateway.port, '127.0.0.1')
  await once(idle, 'connect')
  const slow = gateway.raw(request('/crm/slow'))
  const held = gateway.raw(request('/crm/v1', { method: 'POST' }))
  await upstream.received(1)
  await gateway.gate.held()

  const closed = gateway.close()
  const hungUp = once(idle, 'close')
  await expect(gateway.raw(request('/crm/v1'))).rejects.toThrow('ECONNREFUSED')
  gateway.gate.approve()
  expect(statusOf(await held)).toBe(200)
  upstream.sockets[0]!.write(ok('late'))
  expect(await slow).toMatch(/late$/)
  await closed
  await hungUp
  expect(gateway.gate.outcomes).toHaveLength(2)
})

test('closing: whoever goes on asking on an open connection is told that it closes, and keeps nothing from ending', async () => {
  const { upstream } = await behind(() => () => undefined)
  const gateway = await startGateway([{ upstream: upstream.url }])
  const busy = connect(gateway.port, '127.0.0.1')
  let answers = ''
  busy.setEncoding('latin1').on('data', (text) => (answers += text))
  busy.write(request('/crm/v1'))
  await upstream.received(1)
  const other = gateway.raw(request('/crm/v1'))
  await upstream.received(2)

  const closed = gateway.close()
  const [mine, theirs] = upstream.sockets
  mine!.write(ok('before'))
  while (!answers.endsWith('before')) await later(2)
  const hungUp = once(busy, 'close')
  busy.write(request('/crm/v1'))
  await upstream.received(3)
  upstream.sockets[upstream.requests[2]!.connection]!.write(ok('after'))
  await hungUp
  expect(answers).toMatch(/Connection: close\r\n(?:.+\r\n)*\r\nafter$/)
  theirs!.write(ok('other'))
  expect(await other).toMatch(/other$/)
  await closed
})

test('a port that is in use: listening rejects with what the system says', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  await expect(startGateway([{ upstream: 'http://127.0.0.1:1' }], { port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  other.close()
})
