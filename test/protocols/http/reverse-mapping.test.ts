import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ReverseMapping } from '../../../src/protocols/http/reverse-mapping.ts'
import { ok, startUpstream } from '../../support/upstream.ts'
import { behind, request, startGateway } from './gateway.ts'

const below = new ReverseMapping({
  upstream: 'https://crm.internal/api/',
  match: { prefix: '/crm' },
})
const named = new ReverseMapping({
  upstream: 'http://crm.internal:8080',
  match: { host: 'crm.gateway.internal' },
})

describe('an address of the upstream, seen from outside', () => {
  test.each([
    ['/api/v1/orders/7', '/crm/v1/orders/7'],
    ['/api', '/crm/'],
    ['/api?page=2', '/crm/?page=2'],
    ['https://crm.internal/api/v1?a=b#c', '/crm/v1?a=b#c'],
    ['HTTPS://CRM.internal:443/api/v1', '/crm/v1'],
    // Relative to the request: what is before it is the same on both sides.
    ['orders/7', 'orders/7'],
    ['?page=2', '?page=2'],
    ['../v2', '../v2'],
    // Elsewhere: another path, host, port, scheme, or something that only looks like the upstream.
    ['/login', '/login'],
    ['/apis/v1', '/apis/v1'],
    ['http://crm.internal/api/v1', 'http://crm.internal/api/v1'],
    ['https://crm.internal:8443/api/v1', 'https://crm.internal:8443/api/v1'],
    ['https://crm.internal.evil.example/api', 'https://crm.internal.evil.example/api'],
    ['https://crm.internal@evil.example/api', 'https://crm.internal@evil.example/api'],
    ['//crm.internal/api/v1', '//crm.internal/api/v1'],
    ['/\\crm.internal/api', '/\\crm.internal/api'],
    ['urn:isbn:0451450523', 'urn:isbn:0451450523'],
  ])('%s → %s', (inside, outside) => {
    expect(below.location(inside)).toBe(outside)
  })

  test('with a host of its own, the paths are the same', () => {
    expect(named.location('http://crm.internal:8080/v1?a=b')).toBe('/v1?a=b')
    expect(named.location('http://crm.internal:8080')).toBe('/')
    expect(named.location('/v1')).toBe('/v1')
  })

  test.each([
    'http://crm.internal:8080//evil.example/v1',
    'http://crm.internal:8080/\\evil.example/v1',
    'http://crm.internal:8080/\t/evil.example/v1',
  ])('a path of the upstream does not become another host: %j', (inside) => {
    expect(named.location(inside)).toBe(inside)
    expect(named.link(`<${inside}>; rel="next"`, null)).toBe(`<${inside}>; rel="next"`)
    // Below a path it stays one.
    const path = inside.replace('http://crm.internal:8080', '/api')
    expect(below.location(path)).toBe(path.replace('/api', '/crm'))
    const alone = new ReverseMapping({
      upstream: 'http://crm.internal:8080/api',
      match: { host: 'crm.gateway.internal' },
    })
    expect(alone.location(path)).toBe(path)
  })

  test('in a Link, what was whole stays whole', () => {
    const link =
      '<https://crm.internal/api/orders?page=2>; rel="next", </api/orders?page=9>; rel="last", <https://docs.example/>; rel="help"'
    expect(below.link(link, 'https://gateway.example')).toBe(
      '<https://gateway.example/crm/orders?page=2>; rel="next", </crm/orders?page=9>; rel="last", <https://docs.example/>; rel="help"',
    )
    expect(below.link(link, null)).toMatch(/^<\/crm\/orders\?page=2>;/)
  })

  test.each([
    ['sid=1; Path=/api/v1; HttpOnly', 'sid=1; Path=/crm/v1; HttpOnly'],
    ['sid=1; path=/; Secure', 'sid=1; Path=/crm; Secure'],
    ['sid=1; Path=/api', 'sid=1; Path=/crm'],
    ['sid=1', 'sid=1'],
    ['sid=1; Domain=.CRM.internal; Max-Age=9', 'sid=1; Max-Age=9'],
    ['sid=1; Domain=internal', 'sid=1'],
    ['sid=1; Domain=other.example', 'sid=1; Domain=other.example'],
    ['__Host-sid=1; Path=/; Secure', '__Host-sid=1; Path=/; Secure'],
    ['sid="Path=/api"; Path=/elsewhere', 'sid="Path=/api"; Path=/elsewhere'],
  ])('a cookie: %s → %s', (inside, outside) => {
    expect(below.cookie(inside)).toBe(outside)
  })

  test('whatever an upstream says, no line ends early, and what is long takes no longer', () => {
    const parts = fc.constantFrom(
      '<',
      '>',
      ';',
      ',',
      '/api',
      '//',
      'https://crm.internal',
      ' ',
      '=',
      'Path',
      '?',
      '#',
      '\\',
      '@',
    )
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 40 }), (pieces) => {
        const value = pieces.join('')
        for (const mapped of [
          below.location(value),
          below.link(value, 'https://g'),
          below.cookie(value),
        ]) {
          expect(mapped).not.toMatch(/[\r\n\0]/)
        }
      }),
    )
    for (const long of ['<', '<>', ' ', '< ', '=', '; ='].map((piece) => piece.repeat(16_000))) {
      expect(below.link(long, null)).toBe(long)
      expect(below.cookie(`a; ${long}b`)).toContain('b')
    }
  })
})

describe('an ordinary client', () => {
  const headers = { authorization: 'Bearer alice' }

  test('follows a redirect to where the resource is, and each request is an action of its own', async () => {
    const { upstream, gateway } = await behind(({ line }) =>
      line.startsWith('GET /v1/new ')
        ? ok('moved to')
        : 'HTTP/1.1 302 Found\r\nLocation: /v1/new\r\nContent-Length: 0\r\n\r\n',
    )
    const answer = await fetch(`${gateway.url}/crm/v1/old`, { headers })
    expect(await answer.text()).toBe('moved to')
    expect(answer.url).toBe(`${gateway.url}/crm/v1/new`)
    expect(upstream.requests.map(({ line }) => line.split(' ')[1])).toEqual(['/v1/old', '/v1/new'])
    expect(gateway.gate.attempts.map(({ action }) => action.summary)).toEqual([
      'GET /v1/old',
      'GET /v1/new',
    ])
  })

  test('is given the next page by a URL of the gateway, and cookies for this resource alone', async () => {
    const upstream = await startUpstream(() =>
      ok(
        '[]',
        `Link: <${upstream.url}/v1/orders?page=2>; rel="next"\r\nSet-Cookie: sid=1; Path=/; HttpOnly\r\nAlt-Svc: h3=":443"\r\n`,
      ),
    )
    const gateway = await startGateway([{ upstream: upstream.url }])
    const answer = await fetch(`${gateway.url}/crm/v1/orders`, { headers })
    expect(answer.headers.get('link')).toBe(`<${gateway.url}/crm/v1/orders?page=2>; rel="next"`)
    expect(answer.headers.getSetCookie()).toEqual(['sid=1; Path=/crm; HttpOnly'])
    expect(answer.headers.get('alt-svc')).toBeNull()
    await gateway.close()
    await upstream.close()
  })

  test('is told where it created something', async () => {
    const { gateway } = await behind(
      () => 'HTTP/1.1 201 Created\r\nLocation: /v1/orders/7\r\nContent-Length: 0\r\n\r\n',
    )
    expect(await gateway.raw(request('/crm/v1/orders'))).toContain('Location: /crm/v1/orders/7\r\n')
  })
})
