import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { logIn, startControlPlane, type TestControlPlane } from '../support/control-plane.ts'

let plane: TestControlPlane

beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(() => plane.close())

const cookie = (browser: Browser) => browser.cookie('127.0.0.1', 'sallyport')

describe('logging in', () => {
  test('Dana logs in, and the console knows who she is and what she may do', async () => {
    const browser = new Browser()
    const chooser = await browser.open(`${plane.url}/login`)
    expect(chooser.url.origin).toBe(plane.idp.issuer)
    expect(chooser.body).toContain('Dana Okafor')
    expect(chooser.body).toContain('This is a demo.')

    const back = await browser.submit(chooser, { person: 'dana' })
    expect(back.url.href).toBe(`${plane.url}/`)

    const me = await browser.fetch(`${plane.url}/api/me`)
    expect(me.status).toBe(200)
    expect(await me.json()).toMatchObject({
      person: { issuer: plane.idp.issuer, subject: 'dana', email: 'dana@example.com' },
      roles: ['approver', 'auditor', 'admin'],
      csrf_token: expect.any(String),
      session: { expires_at: expect.any(String) },
    })
    expect(plane.events.at(-1)).toMatchObject({
      type: 'identity.login',
      subject: { subject: 'dana', kind: 'human' },
    })
  })

  test('without a login there is nothing to see', async () => {
    const response = await fetch(`${plane.url}/api/me`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(response.headers.get('content-type')).toMatch('application/problem+json')
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/unauthenticated',
      reason: 'missing',
    })
  })

  test('it is remembered who came, with every name that they ever had', async () => {
    await plane.logIn('omar')
    await plane.store.query(
      `UPDATE sallyport.people SET identifiers = identifiers || '{omar@old.example.com}' WHERE subject = 'omar'`,
    )
    await plane.logIn('omar')
    const [row] = await plane.store.query(
      `SELECT name, email, groups, identifiers FROM sallyport.people WHERE subject = 'omar'`,
    )
    expect(row).toEqual({
      name: 'Omar Haddad',
      email: 'omar@example.com',
      groups: ['data-owners', 'approvers'],
      identifiers: ['omar', 'omar@example.com', 'omar@old.example.com'],
    })
  })

  test('whoever types localhost is sent to the address that the cookie is for', async () => {
    const { port } = new URL(plane.url)
    const response = await fetch(`http://localhost:${port}/login`, { redirect: 'manual' })
    expect(response.headers.get('location')).toBe(`${plane.url}/login`)
  })
})

describe('the cookie', () => {
  test('is HttpOnly, SameSite=Lax, for the whole host, and ends with the session', async () => {
    const browser = await plane.logIn('dana')
    const line = browser.seen.find((one) => one.startsWith('sallyport='))!
    expect(line.split('; ').toSorted()).toEqual([
      'HttpOnly',
      'Max-Age=28800',
      'Path=/',
      'SameSite=Lax',
      expect.stringMatching(/^sallyport=[\w-]{43}$/),
    ])
  })

  test('is not what the database holds: reading the table logs nobody in', async () => {
    const browser = await plane.logIn('lena')
    const value = cookie(browser)!
    const rows = await plane.store.query<{ all: string }>(
      `SELECT s::text || encode(s.hash, 'escape') || encode(s.id_token, 'escape') AS all FROM sallyport.sessions s`,
    )
    expect(rows.length).toBeGreaterThan(0)
    for (const { all } of rows) {
      expect(all).not.toContain(value)
      expect(all).not.toContain('eyJ')
    }
  })

  test('of nobody opens nothing', async () => {
    for (const value of ['', 'x', 'A'.repeat(43), 'A'.repeat(10_000), "'; DROP TABLE sessions"]) {
      const response = await fetch(`${plane.url}/api/me`, {
        headers: { cookie: `sallyport=${encodeURIComponent(value)}` },
      })
      expect(response.status).toBe(401)
    }
  })
})

describe('session fixation', () => {
  test('a value that was planted before the login is not the one after it', async () => {
    const victim = new Browser()
    const planted = 'A'.repeat(43)
    victim.setCookie('127.0.0.1', 'sallyport', planted)
    await logIn(victim, plane.url, 'dana')
    expect(cookie(victim)).not.toBe(planted)
    const attacker = await fetch(`${plane.url}/api/me`, {
      headers: { cookie: `sallyport=${planted}` },
    })
    expect(attacker.status).toBe(401)
  })

  test('logging in again draws another value, and ends the session before', async () => {
    const browser = await plane.logIn('dana')
    const before = cookie(browser)!
    // She is still logged in at the identity provider, which sends her straight back.
    await browser.open(`${plane.url}/login`)
    expect(cookie(browser)).not.toBe(before)
    const old = await fetch(`${plane.url}/api/me`, { headers: { cookie: `sallyport=${before}` } })
    expect(old.status).toBe(401)
    expect((await browser.fetch(`${plane.url}/api/me`)).status).toBe(200)
  })
})

describe('a login that somebody else prepared', () => {
  /** Goes as far as the answer of the identity provider, and does not take it to the console. */
  async function answerFor(person: string) {
    const browser = new Browser()
    const chooser = await browser.open(`${plane.url}/login`)
    let response = await browser.fetch(
      new URL(/action="([^"]+)"/.exec(chooser.body)![1]!, chooser.url),
      { method: 'POST', body: new URLSearchParams({ person }) },
    )
    let location = response.headers.get('location')!
    while (!location.startsWith(plane.url)) {
      response = await browser.fetch(new URL(location, plane.idp.issuer))
      location = response.headers.get('location')!
    }
    return { browser, location }
  }

  test('login CSRF: the answer to it is worth nothing in another browser', async () => {
    const { location } = await answerFor('omar')
    const victim = new Browser()
    expect((await victim.open(location)).url.search).toBe('?login_error=login-expired')
    await victim.fetch(`${plane.url}/login`)
    expect((await victim.open(location)).url.search).toBe('?login_error=login-failed')
    expect(cookie(victim)).toBeUndefined()
  })

  test('it works once', async () => {
    const { browser, location } = await answerFor('omar')
    expect((await browser.open(location)).url.search).toBe('')
    expect((await browser.open(location)).url.search).toBe('?login_error=login-expired')
  })

  test('another state, another issuer, another code: refused, and on record', async () => {
    for (const change of [
      (url: URL) => url.searchParams.set('state', 'x'),
      (url: URL) => url.searchParams.set('iss', 'https://evil.example.com'),
      (url: URL) => url.searchParams.set('code', 'x'),
      (url: URL) => url.searchParams.delete('code'),
      (url: URL) => url.searchParams.append('code', 'x'),
    ]) {
      const { browser, location } = await answerFor('omar')
      const url = new URL(location)
      change(url)
      expect((await browser.open(url)).url.search).toBe('?login_error=login-failed')
      expect(cookie(browser)).toBeUndefined()
      expect(plane.events.at(-1)).toMatchObject({
        type: 'identity.refused',
        reason: 'login-failed',
      })
    }
  })

  test('the identity provider says no', async () => {
    const browser = new Browser()
    const response = await browser.fetch(`${plane.url}/login`)
    const state = new URL(response.headers.get('location')!).searchParams.get('state')!
    const answer = new URL(`${plane.url}/login/callback`)
    answer.search = String(
      new URLSearchParams({ error: 'access_denied', state, iss: plane.idp.issuer }),
    )
    expect((await browser.open(answer)).url.search).toBe('?login_error=login-denied')
  })

  test('a cookie of the attempt that was changed on the way is no attempt', async () => {
    const { browser, location } = await answerFor('omar')
    const kept = decodeURIComponent(browser.cookie('127.0.0.1', 'sallyport_login')!)
    browser.setCookie(
      '127.0.0.1',
      'sallyport_login',
      encodeURIComponent(kept.replace('"nonce":"', '"nonce":"x')),
    )
    expect((await browser.open(location)).url.search).toBe('?login_error=login-expired')
  })
})

test('another cookie of ours in the place of the attempt is no attempt', async () => {
  const browser = await plane.logIn('dana')
  await browser.fetch(`${plane.url}/api/me`)
  browser.setCookie('127.0.0.1', 'sallyport_login', browser.cookie('127.0.0.1', 'sallyport_csrf')!)
  const page = await browser.open(`${plane.url}/login/callback?code=x&state=y`)
  expect(page.url.search).toBe('?login_error=login-expired')
})

describe('logging out', () => {
  test('ends the session at once, also for whoever has copied the cookie', async () => {
    const browser = await plane.logIn('dana')
    const copied = cookie(browser)!
    const response = await plane.post(browser, '/logout')
    expect(response.status).toBe(200)
    expect(cookie(browser)).toBeUndefined()
    const thief = await fetch(`${plane.url}/api/me`, { headers: { cookie: `sallyport=${copied}` } })
    expect(thief.status).toBe(401)
    expect(await thief.json()).toMatchObject({ reason: 'session-ended' })
    expect(plane.events.at(-1)).toMatchObject({
      type: 'identity.logout',
      subject: { subject: 'dana' },
    })
  })

  test('goes on to the identity provider, and from there back, to come as somebody else', async () => {
    const browser = await plane.logIn('dana')
    const response = await plane.post(browser, '/logout')
    const { location } = (await response.json()) as { location: string }
    const page = await browser.open(location)
    expect(page.body).toContain('Yes, log out')
    const back = await browser.submit(page, { logout: 'yes' })
    expect(back.url.href).toBe(`${plane.url}/`)
    const chooser = await browser.open(`${plane.url}/login`)
    expect(chooser.body).toContain('Who are you today?')
  })
})

test('an identity provider that is down: the console says so, and nobody is let in', async () => {
  const server = createServer((_request, response) => response.writeHead(503).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { createLogin } = await import('../../src/identity/login.ts')
  const login = createLogin({
    ...plane.identity.login!,
    issuer: `http://127.0.0.1:${port}`,
  })
  await expect(login.start(`${plane.url}/login/callback`)).rejects.toMatchObject({
    reason: 'provider-unavailable',
  })
  server.close()
})

test('logging in is limited in rate', async () => {
  const answers = await Promise.all(
    Array.from({ length: 80 }, () => fetch(`${plane.url}/login`, { redirect: 'manual' })),
  )
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(await refused[0]!.json()).toMatchObject({
    type: 'https://sallyport.dev/problems/too-many-requests',
  })
  expect(refused[0]!.headers.get('retry-after')).toMatch(/^\d+$/)
})

test('nothing secret is in the log', () => {
  const log = plane.logged.join('')
  expect(log).not.toMatch(/eyJ|sallyport=[\w-]{20}|code=/)
  expect(log).not.toContain(plane.idp.console.clientSecret)
})
