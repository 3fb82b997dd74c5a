import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Keyring } from '../../src/config/keyring.ts'
import { createControlServer } from '../../src/console/server.ts'
import { createAuthenticator } from '../../src/identity/authenticate.ts'
import { StoreError } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import {
  collectEvents,
  startControlPlane,
  type TestControlPlane,
} from '../support/control-plane.ts'

let plane: TestControlPlane

beforeAll(async () => {
  const pages = await mkdtemp(join(tmpdir(), 'sallyport-pages-'))
  await writeFile(join(pages, 'index.html'), '<!doctype html><title>Sallyport</title>')
  await mkdir(join(pages, 'assets'))
  await writeFile(join(pages, 'assets', 'main-abc.js'), 'export {}')
  await writeFile(join(pages, '..', 'outside.txt'), 'secret')
  plane = await startControlPlane({ pages })
})
afterAll(() => plane.close())

/** A server like the plane's, to which a test can add routes. */
async function anotherServer(publicUrl?: string) {
  const { identity, store } = plane
  const { recorder } = collectEvents()
  const log = createLog('silent')
  const authenticator = await createAuthenticator({ identity, store, recorder, log })
  return createControlServer({
    identity,
    store,
    recorder,
    govern: async () => null,
    log,
    authenticator,
    publicUrl,
    cookieKeys: new Keyring([{ key: Buffer.alloc(32, 1), madeAt: new Date(0) }]),
    csrfKey: Buffer.alloc(32, 1),
    obstacle: async () => 'store-away',
    pages: null,
  })
}

describe('who may call what', () => {
  test('a route that does not say who may call it cannot be added', async () => {
    const server = await anotherServer()
    expect(() => server.get('/api/open', async () => 'anything')).toThrow(
      '/api/open does not say who may call it',
    )
    await server.close()
  })

  test('a route that changes something cannot be opened to keys', async () => {
    const server = await anotherServer()
    const access = { roles: ['auditor'], scope: 'audit:read' } as const
    expect(() => server.post('/api/x', { config: { access } }, async () => 'x')).toThrow(
      /keys only read/,
    )
    await server.close()
  })

  test('a role is needed where it says so', async () => {
    const omar = await plane.logIn('omar')
    const response = await plane.get(omar, '/api/keys')
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/forbidden',
      detail: 'This needs the role admin.',
    })
  })

  test('a person comes with their own token as well as with a cookie', async () => {
    const me = await fetch(`${plane.url}/api/me`, {
      headers: { authorization: `Bearer ${await plane.idp.personToken('lena')}` },
    })
    expect(await me.json()).toMatchObject({
      person: { subject: 'lena' },
      roles: ['approver'],
      csrf_token: null,
      session: null,
    })
    const [row] = await plane.store.query(
      `SELECT subject FROM sallyport.people WHERE subject = 'lena'`,
    )
    expect(row).toEqual({ subject: 'lena' })
  })

  test('an agent is no person, whoever it acts for', async () => {
    const agent = await plane.idp.agentToken('support-agent')
    const response = await fetch(`${plane.url}/api/me`, {
      headers: { authorization: `Bearer ${agent}` },
    })
    expect(response.status).toBe(403)
  })
})

describe('answers', () => {
  test('errors are problems, and a defect is not shown but logged', async () => {
    const server = await anotherServer()
    server.get('/api/broken', { config: { access: 'public' } }, async () => {
      throw new Error('the password is hunter2')
    })
    server.get('/api/down', { config: { access: 'public' } }, async () => {
      throw new StoreError('unavailable', 'connect ECONNREFUSED 10.0.0.7')
    })
    const broken = await server.inject('/api/broken')
    expect(broken.statusCode).toBe(500)
    expect(broken.headers['content-type']).toMatch('application/problem+json')
    expect(broken.body).not.toContain('hunter2')
    const down = await server.inject('/api/down')
    expect(down.json()).toMatchObject({
      status: 503,
      type: 'https://sallyport.dev/problems/store-unavailable',
    })
    expect(down.body).not.toContain('10.0.0.7')
    await server.close()
  })

  test('text that no database keeps is the fault of whoever sent it', async () => {
    const dana = await plane.logIn('dana')
    const response = await plane.post(dana, '/api/keys', { name: 'a-bot', groups: ['a\0b'] })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/bad-request',
      detail: expect.stringMatching(/NUL/) as string,
    })
  })

  test('a request that is not valid is told where', async () => {
    const dana = await plane.logIn('dana')
    const response = await plane.post(dana, '/api/keys', { name: 'No Good', groups: [7] })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/bad-request',
      errors: [
        { at: '/name', message: 'Use lower-case letters, digits and dashes.' },
        { at: '/groups/0', message: expect.any(String) },
      ],
    })
  })

  test('a body that is no JSON, or too much of it', async () => {
    const authorization = `Bearer ${await plane.idp.personToken('dana')}`
    for (const body of ['{', '[1,2', JSON.stringify({ name: 'x'.repeat(100_000) })]) {
      const response = await fetch(`${plane.url}/api/keys`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body,
      })
      expect(response.status).toBe(400)
      expect(response.headers.get('content-type')).toMatch('application/problem+json')
    }
  })

  test('nothing of the API is kept by browsers or proxies', async () => {
    const response = await fetch(`${plane.url}/api/me`)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('a browser may run and show what comes from here, and nothing else', async () => {
    for (const path of ['/', '/api/me', '/healthz']) {
      const { headers } = await fetch(`${plane.url}${path}`)
      const policy = headers.get('content-security-policy')!
      expect(policy.split(';').toSorted()).toEqual([
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
      ])
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
  })
})

describe('over https', () => {
  test('cookies are Secure, and of this very host', async () => {
    const server = await anotherServer('https://sallyport.example.com/')
    const response = await server.inject({ url: '/login', headers: { host: 'anything' } })
    const location = new URL(response.headers.location as string)
    expect(location.searchParams.get('redirect_uri')).toBe(
      'https://sallyport.example.com/login/callback',
    )
    expect(location.searchParams.get('code_challenge_method')).toBe('S256')
    const [line] = [response.headers['set-cookie']].flat()
    expect(line).toMatch(/^__Host-sallyport_login=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    expect(response.headers['strict-transport-security']).toBe('max-age=31536000')
    await server.close()
  })
})

describe('health', () => {
  test('is for everybody', async () => {
    expect(await (await fetch(`${plane.url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect((await fetch(`${plane.url}/readyz`)).status).toBe(200)
  })

  test('not ready is 503', async () => {
    const server = await anotherServer()
    expect((await server.inject('/readyz')).statusCode).toBe(503)
    await server.close()
  })
})

test('the API describes itself', async () => {
  const api = (await (await fetch(`${plane.url}/api/openapi.json`)).json()) as {
    openapi: string
    paths: Record<string, object>
  }
  expect(api.openapi).toBe('3.1.0')
  expect(Object.keys(api.paths).toSorted()).toEqual([
    '/api/keys',
    '/api/keys/{id}/revoke',
    '/api/login/settings',
    '/api/me',
    '/healthz',
    '/identity/events',
    '/logout',
    '/readyz',
  ])
})

describe('the pages', () => {
  const page = { headers: { accept: 'text/html' } }

  test('the start page, its files, and the start page for everything else that a browser asks for', async () => {
    for (const path of ['/', '/approvals/42', '/nothing/here']) {
      const response = await fetch(`${plane.url}${path}`, page)
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('<title>Sallyport</title>')
      expect(response.headers.get('cache-control')).toBe('no-cache')
    }
    const script = await fetch(`${plane.url}/assets/main-abc.js`)
    expect(script.headers.get('cache-control')).toMatch('immutable')
    expect(script.headers.get('content-type')).toMatch('javascript')
  })

  test('not for the API', async () => {
    const response = await fetch(`${plane.url}/api/nothing`, page)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/not-found',
    })
  })

  test('nothing outside of their folder', async () => {
    for (const path of [
      '/../outside.txt',
      '/%2e%2e/outside.txt',
      '/..%2foutside.txt',
      '//etc/passwd',
    ]) {
      const response = await plane.server.inject({ url: path })
      expect(response.body).not.toContain('secret')
      expect(response.statusCode).toBeGreaterThanOrEqual(400)
    }
  })
})
