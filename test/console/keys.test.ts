import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import type { Browser } from '../support/browser.ts'

let plane: TestControlPlane
let dana: Browser

beforeAll(async () => {
  plane = await startControlPlane()
  dana = await plane.logIn('dana')
})
afterAll(() => plane.close())

interface Made {
  token: string
  key: { id: string; name: string; revoked_at: string | null }
}

async function make(body: object): Promise<Made> {
  const response = await plane.post(dana, '/api/keys', body)
  expect(response.status).toBe(201)
  return (await response.json()) as Made
}

test('Dana makes a key for an agent of Priya: it is shown once', async () => {
  const { token, key } = await make({
    name: 'refund-bot',
    groups: ['agents'],
    owner: { subject: 'priya' },
    expires_at: '2099-01-01T00:00:00Z',
  })
  expect(token).toMatch(/^sp_[\w-]{48}$/)
  expect(key).toMatchObject({
    name: 'refund-bot',
    kind: 'agent',
    groups: ['agents'],
    scopes: [],
    owner: { issuer: plane.idp.issuer, subject: 'priya' },
    created_by: { issuer: plane.idp.issuer, subject: 'dana' },
    expires_at: '2099-01-01T00:00:00.000Z',
    revoked_at: null,
    last_used_at: null,
  })
  const list = await (await plane.get(dana, '/api/keys')).text()
  expect(list).toContain('refund-bot')
  expect(list).not.toContain(token)
  expect(plane.events.at(-1)).toMatchObject({
    type: 'identity.key_created',
    subject: { subject: 'dana' },
    details: { name: 'refund-bot', owner: { subject: 'priya' } },
  })
  expect(JSON.stringify([plane.events, plane.logged])).not.toContain(token)
})

test('whoever makes a key and says nothing else answers for it', async () => {
  const { key } = await make({ name: 'my-own' })
  expect(key).toMatchObject({ owner: { issuer: plane.idp.issuer, subject: 'dana' } })
})

test('a group can answer for a key', async () => {
  const { key } = await make({ name: 'of-a-group', owner: { group: 'data-owners' } })
  expect(key).toMatchObject({ owner: { group: 'data-owners' } })
})

test('a name is used once, also after the key is gone', async () => {
  const { key } = await make({ name: 'only-once' })
  await plane.post(dana, `/api/keys/${key.id}/revoke`)
  const response = await plane.post(dana, '/api/keys', { name: 'only-once' })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining('only-once') })
})

test('a key cannot end before it begins', async () => {
  const body = { name: 'too-late', expires_at: '2020-01-01T00:00:00Z' }
  expect((await plane.post(dana, '/api/keys', body)).status).toBe(400)
})

test('Dana revokes a key; a second time changes nothing', async () => {
  const { key } = await make({ name: 'to-revoke' })
  const first = (await (await plane.post(dana, `/api/keys/${key.id}/revoke`)).json()) as Made
  expect(first.key).toMatchObject({ revoked_by: { subject: 'dana' } })
  expect(plane.events.at(-1)).toMatchObject({
    type: 'identity.key_revoked',
    details: { name: 'to-revoke' },
  })
  const events = plane.events.length
  const second = (await (await plane.post(dana, `/api/keys/${key.id}/revoke`)).json()) as Made
  expect(second.key.revoked_at).toBe(first.key.revoked_at)
  expect(plane.events.length).toBe(events)
})

test('a key that never was cannot be revoked', async () => {
  const path = '/api/keys/00000000-0000-4000-8000-000000000000/revoke'
  expect((await plane.post(dana, path)).status).toBe(404)
  expect((await plane.post(dana, '/api/keys/nonsense/revoke')).status).toBe(400)
})

test('people in other roles see and change nothing', async () => {
  const omar = await plane.logIn('omar')
  expect((await plane.get(omar, '/api/keys')).status).toBe(403)
  expect((await plane.post(omar, '/api/keys', { name: 'omars' })).status).toBe(403)
})

describe('a key at the control plane', () => {
  const call = (token: string, path: string, init: RequestInit = {}) =>
    fetch(`${plane.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } })

  test('is no person, and manages no keys', async () => {
    const { token } = await make({ name: 'curious', scopes: ['audit:read', 'approvals:read'] })
    expect((await call(token, '/api/me')).status).toBe(403)
    expect((await call(token, '/api/keys')).status).toBe(403)
    expect((await call(token, '/logout', { method: 'POST' })).status).toBe(403)
  })
})
