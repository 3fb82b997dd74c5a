import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as later } from 'node:timers/promises'
import { Agent, fetch } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openssl } from '../../support/certificates.ts'
import { ok } from '../../support/upstream.ts'
import { request, statusOf } from './gateway.ts'
import {
  ask,
  behindTls,
  block,
  endHeaders,
  endStream,
  fate,
  frames,
  rawSession,
  session,
} from './http2.ts'
import { rawOverTls } from './raw-tls.ts'

const curl = spawnSync('curl', ['--version']).stdout?.includes('HTTP2') ?? false

const head = (more: readonly (readonly [string, string])[] = [], path = '/crm/v1') =>
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'gateway'],
    [':path', path],
    ['authorization', 'Bearer alice'],
    ...more,
  ] as const

describe.skipIf(!openssl)('HTTP/2 (needs openssl)', () => {
  describe('clients', () => {
    test.skipIf(!curl)('curl --http2', async () => {
      const { gateway, ca } = await behindTls(({ body }) => ok(body || 'ok'))
      const file = join(process.env['TMPDIR'] ?? '/tmp', `sallyport-ca-${process.pid}.pem`)
      writeFileSync(file, ca)
      const words = ['-sS', '--http2', '--cacert', file, '-H', 'Authorization: Bearer alice']
      const report = ['-w', ' %{http_version}', '-d', 'x'.repeat(100_000)]
      const { stdout } = await promisify(execFile)('curl', [
        ...words,
        ...report,
        `${gateway.url}/crm/v1`,
      ])
      expect(stdout).toBe(`${'x'.repeat(100_000)} 2`)
    })

    test('fetch with HTTP/2: forty at a time, on one connection', async () => {
      const { upstream, gateway, ca } = await behindTls(({ line }) => ok(line))
      const dispatcher = new Agent({ allowH2: true, connect: { ca }, connections: 1 })
      onTestFinished(() => dispatcher.close())
      const calls = Array.from({ length: 40 }, async (_, i) => {
        const headers = { authorization: 'Bearer alice' }
        const response = await fetch(`${gateway.url}/crm/${i}`, { headers, dispatcher })
        expect(response.status).toBe(200)
        expect(response.headers.get('sallyport-action')).toMatch(/^[0-9a-f-]{36}$/)
        return response.text()
      })
      const answers = await Promise.all(calls)
      expect(answers).toEqual(answers.map((_, i) => `GET /${i} HTTP/1.1`))
      expect(upstream.requests).toHaveLength(40)
    })

    test('a body in both directions, with its trailers, and a head with several cookies', async () => {
      const { gateway } = await behindTls(
        () =>
          'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n',
      )
      const client = session(gateway)
      const stream = client.request({ ':path': '/crm/v1', authorization: 'Bearer alice' })
      const trailers = new Promise((resolve) => stream.on('trailers', resolve))
      stream.on('response', (got) => expect(got['set-cookie']).toEqual(['a=1', 'b=2']))
      stream.resume()
      expect(await trailers).toMatchObject({ 'x-sum': '5' })
    })

    test('HEAD, 204 and 304 have no body', async () => {
      const { gateway } = await behindTls(({ line }) =>
        line.startsWith('HEAD')
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'
          : 'HTTP/1.1 204 No Content\r\n\r\n',
      )
      const client = session(gateway)
      expect(await ask(client, '/crm/v1', { method: 'HEAD' })).toMatchObject({
        status: 200,
        body: '',
      })
      expect(await ask(client, '/crm/v1')).toMatchObject({ status: 204, body: '' })
    })

    test('the status of a task, through the same listener', async () => {
      const { gateway } = await behindTls()
      const path = '/access/v1/requests/01890000-0000-7000-8000-00000000000a'
      const client = session(gateway)
      const got = await ask(client, path)
      expect(got).toMatchObject({ status: 200, body: expect.stringContaining('pending') })
      expect(await ask(client, `${path}/cancel`, { method: 'POST', body: '{}' })).toMatchObject({
        status: 200,
      })
      expect(await ask(client, path, { headers: { authorization: 'Bearer bob' } })).toMatchObject({
        status: 404,
      })
    })
  })

  test('the upstream cannot tell which version the agent spoke, and neither can an approver', async () => {
    const { upstream, gateway } = await behindTls()
    gateway.gate.verdict = () => 'hold'
    const headers = { 'content-type': 'text/plain', 'x-note': 'caf\u00e9', cookie: 'a=1; b=2' }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const first = rawOverTls(
      gateway,
      request('/crm/v1?x=1', {
        method: 'POST',
        headers: [...lines, 'Connection: close', 'Transfer-Encoding: chunked'],
        body: '5\r\nhello\r\n0\r\n\r\n',
      }),
    )
    await gateway.gate.held()
    gateway.gate.approve()
    expect(statusOf(await first)).toBe(200)
    const crumbs = { ...headers, cookie: ['a=1', 'b=2'], te: 'trailers' }
    const second = ask(session(gateway), '/crm/v1?x=1', {
      method: 'POST',
      headers: { ...crumbs, ':authority': 'gateway' },
      body: 'hello',
    })
    await gateway.gate.held()
    gateway.gate.approve()
    expect((await second).status).toBe(200)
    const [one, two] = upstream.requests.map(({ raw }) =>
      raw
        .replace(/traceparent: .*\r\n/, '')
        .split('\r\n')
        .toSorted(),
    )
    expect(one).toEqual(two)
    expect(gateway.gate.sealed[0]!.payload).toMatchObject({ method: 'POST', target: '/v1?x=1' })
  })

  describe('refused as in HTTP/1.1, on a head that no library sends', () => {
    const attacks: Record<string, readonly (readonly [string, string])[]> = {
      'class 1: an encoded slash': head([], '/crm/v1%2fadmin'),
      'class 1: a dot segment': head([], '/crm/../admin'),
      'class 1: a whole URL as the path': head([], 'https://evil/crm/v1'),
      'class 1: a fragment': head([], '/crm/v1#x'),
      'class 1: a blank, and a second request line, in the path': head([], '/crm/v1 HTTP/1.1'),
      'class 2: Host differs from :authority': head([['host', 'admin.internal']]),
      'class 2: two Hosts': head([
        ['host', 'gateway'],
        ['host', 'gateway'],
      ]),
      'class 2: another scheme': head().map(([name, value]) =>
        name === ':scheme' ? ([name, 'http'] as const) : ([name, value] as const),
      ),
      'class 2: an :authority with a user in it': head().map(([name, value]) =>
        name === ':authority' ? ([name, 'a@gateway'] as const) : ([name, value] as const),
      ),
      'class 3: a header with an underscore': head([['x_user', 'root']]),
      'class 3: two credentials': head([['authorization', 'Bearer bob']]),
      'class 4: Connection': head([['connection', 'authorization']]),
      'class 5: Transfer-Encoding': head([['transfer-encoding', 'chunked']]),
      'class 5: two Content-Lengths': head([
        ['content-length', '0'],
        ['content-length', '5'],
      ]),
      'class 5: a Content-Length without a body': head([['content-length', '5']]),
      'class 5: capitals in a name': head([['X-A', '1']]),
      'class 5: a method with a request in it': head().map(([name, value]) =>
        name === ':method'
          ? ([name, 'GET /crm/admin HTTP/1.1\r\nHost: x\r\n\r\nGET'] as const)
          : ([name, value] as const),
      ),
      'class 5: a method that nobody knows': head().map(([name, value]) =>
        name === ':method' ? ([name, 'GIT'] as const) : ([name, value] as const),
      ),
      'class 5: two :paths': [[':path', '/crm/v1'], ...head()],
      'class 5: a pseudo-header behind a header': head([[':path', '/crm/admin']]),
      'class 5: a pseudo-header that there is not': [[':proto', 'x'], ...head()],
      'class 7: CONNECT': [
        [':method', 'CONNECT'],
        [':authority', '169.254.169.254:80'],
        ['authorization', 'Bearer alice'],
      ],
      'class 7: a WebSocket over HTTP/2 (RFC 8441)': [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        ...head().slice(1),
      ],
      'class 7: Upgrade': head([['upgrade', 'websocket']]),
      'class 7: TRACE': head().map(([name, value]) =>
        name === ':method' ? ([name, 'TRACE'] as const) : ([name, value] as const),
      ),
      'class 8: a method override': head([['x-http-method-override', 'DELETE']]),
      'class 8: a method override in the query': head([], '/crm/v1?_method=DELETE'),
      'class 23: 250 headers': head(
        Array.from({ length: 245 }, (_, i) => [`x-${i}`, '1'] as const),
      ),
    }

    test.for(Object.entries(attacks))('%s', async ([, pairs]) => {
      const { upstream, gateway } = await behindTls()
      const socket = await rawSession(gateway)
      socket.write(frames.headers(1, block(pairs), endStream | endHeaders))
      expect([400, 'reset', 'goaway']).toContain(await fate(socket))
      expect(gateway.gate.attempts).toEqual([])
      expect(upstream.connections).toEqual([])
    })

    test('the same head, without anything wrong in it, is forwarded', async () => {
      const { upstream, gateway } = await behindTls()
      const socket = await rawSession(gateway)
      socket.write(frames.headers(1, block(head([['host', 'gateway']])), endStream | endHeaders))
      expect(await fate(socket)).toBe(200)
      expect(upstream.requests[0]!.headers).toContain(`host: 127.0.0.1:${upstream.port}`)
    })
  })

  test.for([
    ['a line break in a value', 'x-a', '1\r\nContent-Length: 50'],
    ['a line break in a name', 'x-a: 1\r\nx-b', '1'],
    ['a NUL in a value', 'x-a', '1\0'],
    ['a blank in a name', 'x-a ', '1'],
  ] as const)('class 5: a header with %s goes no further', async ([, name, value]) => {
    const { upstream, gateway } = await behindTls()
    const socket = await rawSession(gateway)
    socket.write(frames.headers(1, block(head([[name, value]])), endStream | endHeaders))
    expect([200, 400, 'reset']).toContain(await fate(socket))
    for (const { raw } of upstream.requests) expect(raw).not.toMatch(/x-a|x-b|content-length/i)
    for (const { action } of gateway.gate.attempts)
      expect(action.attributes['http']!['headers']).toEqual({})
  })

  test('class 5: more or less of a body than Content-Length says never becomes a whole request', async () => {
    for (const sent of ['abc', 'abcdefg']) {
      const { upstream, gateway } = await behindTls()
      const socket = await rawSession(gateway)
      const pairs = head([['content-length', '5']]).map(([name, value]) =>
        name === ':method' ? ([name, 'POST'] as const) : ([name, value] as const),
      )
      socket.write(frames.headers(1, block(pairs), endHeaders))
      socket.write(frames.data(1, Buffer.from(sent)))
      expect(['reset', 'goaway']).toContain(await fate(socket))
      expect(upstream.requests).toEqual([])
    }
  })

  test('class 5: trailers of a request are left out', async () => {
    const { upstream, gateway } = await behindTls()
    const socket = await rawSession(gateway)
    const pairs = head().map(([name, value]) =>
      name === ':method' ? ([name, 'POST'] as const) : ([name, value] as const),
    )
    socket.write(frames.headers(1, block(pairs), endHeaders))
    socket.write(frames.data(1, Buffer.from('hello'), 0))
    socket.write(frames.headers(1, block([['x-user', 'root']]), endStream | endHeaders))
    expect(await fate(socket)).toBe(200)
    expect(upstream.requests[0]!.body).toBe('5\r\nhello\r\n0\r\n\r\n')
  })

  test('class 6: an answer that breaks off ends its request, and no other one on the connection', async () => {
    const { gateway } = await behindTls(({ line }) =>
      line.includes('half')
        ? (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
        : ok('whole'),
    )
    const client = session(gateway)
    await expect(ask(client, '/crm/half')).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
    expect(await ask(client, '/crm/v1')).toMatchObject({ status: 200, body: 'whole' })
    expect(gateway.gate.outcomes).toMatchObject([{ result: 'unknown' }, { result: 'succeeded' }])
  })

  test('class 9: JSON with a key twice is unknown to rules, and its bytes are forwarded', async () => {
    const { upstream, gateway } = await behindTls()
    gateway.gate.readsBody = true
    const body = '{"role":"user","Role":"admin"}'
    await ask(session(gateway), '/crm/v1', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
      body,
    })
    expect(gateway.gate.attempts[0]!.action.attributes['http']!['json']).toHaveProperty('unknown')
    expect(upstream.requests[0]!.body).toBe(body)
  })

  describe('class 23: floods', () => {
    test('rapid reset (CVE-2023-44487): the connection is ended, and a neighbour is served', async () => {
      const { gateway } = await behindTls(() => () => undefined)
      const socket = await rawSession(gateway)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.resume()
      for (let id = 1; id < 8000 && !socket.destroyed; id += 2) {
        socket.write(frames.headers(id, block(head()), endStream | endHeaders))
        socket.write(frames.reset(id))
        if (id % 201 === 0) await later(1)
      }
      await closed
      expect(gateway.gate.attempts.length).toBeLessThan(2000)
      gateway.gate.verdict = () => 'deny'
      expect((await ask(session(gateway), '/crm/v1')).status).toBe(403)
    })

    test('a head without end (CVE-2024-27983): the connection is ended', async () => {
      const { gateway } = await behindTls()
      const socket = await rawSession(gateway)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.resume()
      socket.write(frames.headers(1, block(head()), endStream))
      for (let i = 0; i < 100; i++)
        socket.write(frames.continuation(1, block([[`x-${i}`, 'x'.repeat(1000)]])))
      await closed
      expect(gateway.gate.attempts).toEqual([])
    })

    test('more requests at a time than a connection may have are refused, and can be sent again', async () => {
      const { gateway } = await behindTls()
      gateway.gate.verdict = () => 'hold'
      const socket = await rawSession(gateway)
      socket.resume()
      for (let id = 1; id < 2 * 300; id += 2)
        socket.write(frames.headers(id, block(head()), endStream | endHeaders))
      await new Promise((resolve) => socket.once('close', resolve))
      expect(gateway.gate.attempts.length).toBeLessThanOrEqual(128)
      await expect
        .poll(() => gateway.gate.attempts.every(({ caller }) => caller.aborted))
        .toBe(true)
    })

    test('a body that nobody reads ends with its answer', async () => {
      const { gateway } = await behindTls()
      gateway.gate.verdict = () => 'deny'
      const client = session(gateway)
      const large = { method: 'POST', body: 'x'.repeat(1_000_000) }
      expect((await ask(client, '/crm/v1', large)).status).toBe(403)
      expect((await ask(client, '/crm/v1')).status).toBe(403)
    })
  })

  test('a client that goes away while its request is held: the gate hears of it, and nothing is sent', async () => {
    const { upstream, gateway } = await behindTls()
    gateway.gate.verdict = () => 'hold'
    const client = session(gateway)
    const stream = client.request({ ':path': '/crm/v1', authorization: 'Bearer alice' })
    stream.on('error', () => undefined)
    await gateway.gate.held()
    stream.close(8)
    await expect.poll(() => gateway.gate.attempts[0]!.caller.aborted).toBe(true)
    gateway.gate.approve()
    expect((await ask(client, '/access/v1/requests/x')).status).toBe(404)
    expect(upstream.requests).toEqual([])
  })

  test('stopping: what runs gets its answer, and the connection ends', async () => {
    const { upstream, gateway } = await behindTls(() => () => undefined)
    const client = session(gateway)
    const closed = new Promise((resolve) => client.once('close', resolve))
    const answer = ask(client, '/crm/v1')
    await upstream.received(1)
    const stopped = gateway.close()
    await later(20)
    upstream.sockets[0]!.write(ok('late'))
    expect(await answer).toMatchObject({ status: 200, body: 'late' })
    await Promise.all([stopped, closed])
  })
})
