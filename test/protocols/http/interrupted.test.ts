import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ok, type Script } from '../../support/upstream.ts'
import { behind, post, problemIn, request, statusOf, turns } from './gateway.ts'

const headers = { authorization: 'Bearer alice' }

test.for(['GET', 'POST', 'DELETE'])(
  'an upstream that cuts the connection on %s sees one request, also on a connection that was used before',
  async (method) => {
    const { upstream, gateway } = await behind((_, index) =>
      index === 0 ? ok('ok') : (socket) => socket.resetAndDestroy(),
    )
    await fetch(`${gateway.url}/crm/v1`, { headers })
    await turns()
    const answer = await fetch(`${gateway.url}/crm/v1`, { method, headers })
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/upstream-unreachable',
    })
    await later(30)
    expect(upstream.requests.map(({ connection }) => connection)).toEqual([0, 0])
    // Nobody can tell whether it had an effect.
    expect(gateway.gate.outcomes[1]).toMatchObject({
      result: 'unknown',
      error: 'upstream-unreachable',
    })
  },
)

test('of a read that got no answer, it is known that it had no effect', async () => {
  const { gateway } = await behind(() => (socket) => socket.destroy(), { read: ['GET /**'] })
  expect((await fetch(`${gateway.url}/crm/v1`, { headers })).status).toBe(502)
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'upstream-unreachable' }])
})

test('of an answer that breaks off before any of it is passed on, the agent gets a 502, and no piece', async () => {
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'
  const { upstream, gateway } = await behind(() => (socket) => socket.end(half), {
    read: ['GET /**'],
  })
  // The record is durable only when the upstream has gone.
  gateway.gate.recorded = async () => {
    await upstream.received(1)
    while (!upstream.sockets[0]!.destroyed) await later(2)
  }
  const answer = await gateway.raw(request('/crm/v1'))
  expect(statusOf(answer)).toBe(502)
  expect(problemIn(answer).detail).toBe('The upstream broke off.')
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'upstream-unreachable' }])
})

test('an upstream that is not there: 502, and it is known that nothing was sent', async () => {
  const { upstream, gateway } = await behind()
  await upstream.close()
  const answer = await gateway.raw(post('hello'))
  expect(statusOf(answer)).toBe(502)
  expect(problemIn(answer).detail).toBe('The upstream cannot be reached (ECONNREFUSED).')
  expect(answer).not.toContain(String(upstream.port))
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed', error: 'upstream-unreachable' }])
})

test('an upstream that is silent: 504; in the middle of its answer: the answer is visibly not whole', async () => {
  const { gateway } = await behind(
    (_, index) =>
      index === 0 ? () => undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    // Longer than a busy machine takes to see what is there.
    { timeout: 1_500 },
  )
  expect(statusOf(await gateway.raw(post('hello')))).toBe(504)
  const answer = await gateway.raw(post('hello'))
  expect(answer).toMatch(/half$/)
  expect(gateway.gate.outcomes).toMatchObject([
    { result: 'unknown', error: 'upstream-timeout' },
    { result: 'unknown', status: 200, error: 'upstream-timeout' },
  ])
})

test('a client that is slow to send is not an upstream that is silent', async () => {
  const { gateway } = await behind(undefined, { timeout: 1_500 })
  const call = httpRequest(`${gateway.url}/crm/v1`, { method: 'POST', headers })
  const answered = new Promise<IncomingMessage>((resolve) => call.once('response', resolve))
  call.write('one')
  await later(2_000)
  call.end('two')
  expect((await answered).statusCode).toBe(200)
})

test.for([
  ['that is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'],
  [
    'that is cut off between chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  ],
] as const)('an answer %s is not passed on as if it were whole', async ([, text]) => {
  const { gateway } = await behind(() => (socket) => socket.end(text))
  await expect(
    fetch(`${gateway.url}/crm/v1`, { headers }).then((answer) => answer.text()),
  ).rejects.toThrow()
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'unknown', status: 200 }])
})

const unfinished: Record<string, { script: Script; seen: object }> = {
  'before the answer': { script: () => () => undefined, seen: {} },
  'in the middle of the answer': {
    script: () => 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    seen: { status: 200, bytes: 4 },
  },
}

test.for(Object.entries(unfinished))(
  'a client that goes away %s: so does the request at the upstream',
  async ([, { script, seen }]) => {
    const { upstream, gateway } = await behind(script)
    const client = connect(gateway.port, '127.0.0.1')
    client.write(post('hello'))
    await upstream.received(1)
    const closed = once(upstream.sockets[0]!, 'close')
    await later(10)
    client.destroy()
    await closed
    while (gateway.gate.outcomes.length === 0) await later(2)
    expect(gateway.gate.outcomes).toEqual([
      { result: 'unknown', error: 'client-gone', duration_ms: expect.any(Number), ...seen },
    ])
  },
)

test('a client that goes away in the middle of its request: the upstream never gets a whole one', async () => {
  const { upstream, gateway } = await behind()
  const client = connect(gateway.port, '127.0.0.1')
  client.write(
    request('/crm/v1', { method: 'POST', headers: ['Content-Length: 10'], body: 'half' }),
  )
  while (!upstream.connections[0]?.includes('half')) await later(2)
  client.destroy()
  while (gateway.gate.outcomes.length === 0) await later(2)
  expect(upstream.requests).toEqual([])
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'unknown', error: 'client-gone' }])
})
