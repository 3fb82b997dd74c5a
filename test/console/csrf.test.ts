import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startControlPlane, type TestControlPlane } from '../support/control-plane.ts'

/** Another site makes the browser of somebody who is logged in send a request. */

let plane: TestControlPlane
let browser: Browser
let token: string

beforeAll(async () => {
  plane = await startControlPlane()
  browser = await plane.logIn('dana')
  token = await tokenOf(browser)
})
afterAll(() => plane.close())

async function tokenOf(of: Browser): Promise<string> {
  const me = (await (await of.fetch(`${plane.url}/api/me`)).json()) as { csrf_token: string }
  return me.csrf_token
}

let keys = 0
async function makeKey(headers: Record<string, string>, by = browser): Promise<number> {
  const response = await by.fetch(`${plane.url}/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name: `key-${(keys += 1)}` }),
  })
  if (response.status === 403) {
    expect(await response.json()).toMatchObject({
      type: 'https://sallyport.dev/problems/csrf-failed',
    })
  }
  return response.status
}

test('from a page of the console, with its token', async () => {
  expect(await makeKey({ origin: plane.url, 'x-csrf-token': token })).toBe(201)
})

test('with Fetch Metadata instead of Origin', async () => {
  expect(await makeKey({ 'sec-fetch-site': 'same-origin', 'x-csrf-token': token })).toBe(201)
})

test('without the token: refused', async () => {
  expect(await makeKey({ origin: plane.url })).toBe(403)
  expect(await makeKey({ origin: plane.url, 'x-csrf-token': '' })).toBe(403)
  expect(await makeKey({ origin: plane.url, 'x-csrf-token': `${token}x` })).toBe(403)
})

test('with the token of another session: refused', async () => {
  const omar = await plane.logIn('omar')
  expect(await makeKey({ origin: plane.url, 'x-csrf-token': await tokenOf(omar) })).toBe(403)
})

test('with the token of the session before this one: refused', async () => {
  const again = await plane.logIn('dana')
  const old = await tokenOf(again)
  await again.open(`${plane.url}/login`)
  expect(await makeKey({ origin: plane.url, 'x-csrf-token': old }, again)).toBe(403)
})

test('from another site, even with the token: refused', async () => {
  const right = { 'x-csrf-token': token }
  for (const origin of ['https://evil.example.com', 'null', 'garbage', `${plane.url}.evil.com`]) {
    expect(await makeKey({ ...right, origin })).toBe(403)
  }
  for (const site of ['cross-site', 'same-site', 'none', '']) {
    expect(await makeKey({ ...right, origin: plane.url, 'sec-fetch-site': site })).toBe(403)
  }
})

test('from another port of the same host, which shares our cookies: refused', async () => {
  const other = plane.idp.issuer
  expect(await makeKey({ 'x-csrf-token': token, origin: other })).toBe(403)
})

test('with no word on where it comes from: refused', async () => {
  expect(await makeKey({ 'x-csrf-token': token })).toBe(403)
})

test('as a form, which other sites can send without asking: refused', async () => {
  const response = await browser.fetch(`${plane.url}/api/keys`, {
    method: 'POST',
    headers: { origin: plane.url, 'x-csrf-token': token },
    body: new URLSearchParams({ name: 'from-a-form' }),
  })
  expect(response.status).toBe(400)
})

test('logging somebody out: refused, too', async () => {
  const response = await browser.fetch(`${plane.url}/logout`, {
    method: 'POST',
    headers: { origin: 'https://evil.example.com' },
  })
  expect(response.status).toBe(403)
  expect((await browser.fetch(`${plane.url}/api/me`)).status).toBe(200)
})

test('logging out with a link: there is no such thing', async () => {
  const response = await browser.fetch(`${plane.url}/logout`)
  expect(response.status).toBe(404)
  expect((await browser.fetch(`${plane.url}/api/me`)).status).toBe(200)
})

test('a token in Authorization needs no proof: no browser sends it by itself', async () => {
  const response = await fetch(`${plane.url}/api/keys`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await plane.idp.personToken('dana')}`,
    },
    body: JSON.stringify({ name: 'from-the-cli' }),
  })
  expect(response.status).toBe(201)
})

test('a bad token beside a good cookie is not overlooked', async () => {
  const response = await browser.fetch(`${plane.url}/api/me`, {
    headers: { authorization: 'Bearer x' },
  })
  expect(response.status).toBe(401)
})

test('other sites are not told that they may read', async () => {
  const response = await browser.fetch(`${plane.url}/api/me`, {
    headers: { origin: 'https://evil.example.com' },
  })
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
  expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin')
})
