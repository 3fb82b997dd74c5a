import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EventInput } from '../../src/core/event.ts'
import type { Person } from '../../src/core/person.ts'
import { createKey, revokeKey, type KeyDesk, type NewKey } from '../../src/identity/api-key.ts'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { credentialStillValid } from '../../src/identity/credential.ts'
import { isKey, newKey } from '../../src/identity/key-format.ts'
import type { Store } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

const log = createLog('silent')
const dana: Person = {
  issuer: 'https://idp.example.com',
  subject: 'dana',
  name: 'Dana',
  email: null,
  groups: ['platform'],
  identifiers: ['dana'],
}

let idp: TokenIssuer
let store: Store
let desk: KeyDesk
let events: EventInput[]
let authenticator: Authenticator

beforeAll(async () => {
  idp = await startTokenIssuer()
  store = await openTestStore()
})
beforeEach(async () => {
  const collected = collectEvents()
  events = collected.events
  desk = { store, recorder: collected.recorder, log }
  authenticator = await createAuthenticator({
    identity: idp.identity(),
    store,
    recorder: collected.recorder,
    log,
  })
  return () => authenticator.close()
})
afterAll(() => idp.close())

let keys = 0
const makeKey = (by: Partial<NewKey> = {}) =>
  createKey(desk, dana, {
    name: `key-${(keys += 1)}`,
    kind: 'agent',
    groups: ['agents'],
    scopes: [],
    owner: { issuer: dana.issuer, subject: 'priya' },
    expiresAt: null,
    ...by,
  })

const reasonFor = async (token: string, by = authenticator): Promise<string> => {
  try {
    const { subject } = await by.authenticate(token)
    return `accepted as ${subject.subject}`
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error)
  }
}

describe('a token', () => {
  test('says who acts, for whom, and until when', async () => {
    const token = await idp.mint({
      groups: ['agents'],
      agent_owner: 'priya',
      azp: 'agent-platform',
      act: { sub: 'planner' },
    })
    const { subject, credential } = await authenticator.authenticate(token)
    expect(subject).toMatchObject({
      issuer: idp.issuer,
      subject: 'refund-bot',
      kind: 'agent',
      groups: ['agents'],
      owner: { issuer: idp.issuer, subject: 'priya' },
      chain: [{ issuer: idp.issuer, subject: 'planner' }],
      related: [
        { issuer: idp.issuer, subject: 'agent-platform' },
        // Nobody says that it is a person that the planner acts for.
        { issuer: idp.issuer, subject: 'refund-bot' },
      ],
    })
    expect(credential).toEqual({
      kind: 'jwt',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      issuedAt: expect.any(Number),
      expiresAt: expect.any(Number),
      names: [
        { issuer: idp.issuer, name: 'refund-bot', as: 'self' },
        { issuer: idp.issuer, name: 'planner', as: 'self' },
        { issuer: idp.issuer, name: 'priya', as: 'owner' },
      ],
    })
  })

  test('is verified once, and then known: the second answer comes at once', async () => {
    const token = await idp.mint()
    const first = await authenticator.authenticate(token)
    expect(authenticator.authenticate(token)).toBe(first)
  })

  test('that was refused is looked at anew each time', async () => {
    const token = await idp.mint({ aud: 'another' })
    expect(await reasonFor(token)).toBe('wrong-audience')
    expect(await reasonFor(token)).toBe('wrong-audience')
  })

  test('is worth nothing after its end, for the claim too', async () => {
    const now = Math.floor(Date.now() / 1000)
    const late = await authenticator.authenticate(await idp.mint({ exp: now + 300 }))
    expect(await credentialStillValid(store, late.credential)).toBe(true)
    expect(await credentialStillValid(store, { ...late.credential, expiresAt: 1 })).toBe(false)
    expect(await credentialStillValid(store, { ...late.credential, expiresAt: null })).toBe(false)
  })

  test('of a person ends when a login would, however long its issuer lets it live', async () => {
    const now = Math.floor(Date.now() / 1000)
    const identity = idp.identity({
      issuers: [{ issuer: idp.issuer, audience: 'sallyport' }],
      login: { issuer: idp.issuer, client_id: 'console', cli_client_id: 'cli', session: '1h' },
    })
    const { recorder } = collectEvents()
    const strict = await createAuthenticator({ identity, store, recorder, log })
    const person = { sub: 'dana', client_id: 'cli', exp: now + 86_400 }
    const { credential } = await strict.authenticate(await idp.mint(person))
    expect(credential.expiresAt).toBeLessThanOrEqual((now + 3_600 + 30) * 1000)
    const old = await idp.mint({ ...person, iat: now - 7_200 })
    await expect(strict.authenticate(old)).rejects.toMatchObject({ reason: 'token-expired' })
    const undated = await idp.mint({ ...person, iat: undefined })
    await expect(strict.authenticate(undated)).rejects.toMatchObject({ reason: 'bad-claims' })
    await strict.close()
  })
})

describe('an agent key', () => {
  test('says who acts, who answers for it, and who made it', async () => {
    const { token, key } = await makeKey({ scopes: ['audit:read'] })
    expect(await authenticator.authenticate(token)).toEqual({
      subject: {
        issuer: 'sallyport:keys',
        subject: key.name,
        kind: 'agent',
        groups: ['agents'],
        owner: { issuer: dana.issuer, subject: 'priya' },
        chain: [],
        related: [{ issuer: dana.issuer, subject: 'dana' }],
        claims: { scopes: ['audit:read'] },
      },
      credential: {
        kind: 'agent-key',
        id: key.id,
        expiresAt: null,
        names: [
          { issuer: 'sallyport:keys', name: key.name, as: 'self' },
          { issuer: dana.issuer, name: 'priya', as: 'owner' },
        ],
      },
    })
  })

  test('can be of a group', async () => {
    const { token } = await makeKey({ owner: { group: 'data-owners' } })
    const { subject } = await authenticator.authenticate(token)
    expect(subject.owner).toEqual({ group: 'data-owners' })
  })

  test('is stored as a hash only', async () => {
    const { token } = await makeKey()
    const rows = await store.query<{ all: string }>(
      `SELECT k::text || encode(hash, 'escape') AS all FROM sallyport.agent_keys k`,
    )
    for (const { all } of rows) expect(all).not.toContain(token.slice(3))
  })

  test('its last use is known to the minute', async () => {
    const { token, key } = await makeKey()
    await authenticator.authenticate(token)
    const [row] = await store.query<{ recent: boolean }>(
      `SELECT last_used_at > clock_timestamp() - interval '1 minute' AS recent
         FROM sallyport.agent_keys WHERE id = $1`,
      [key.id],
    )
    expect(row).toEqual({ recent: true })
  })

  test('that nobody made, mistyped or cut off is refused without asking the database', async () => {
    const { token } = await makeKey()
    const mistyped = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')
    for (const bad of ['sp_', 'sp_x', mistyped, token.slice(0, -1), `${token}A`, `${token}\n`]) {
      expect(isKey(bad)).toBe(false)
      expect(await reasonFor(bad)).toBe('key-unknown')
    }
    expect(await reasonFor(newKey())).toBe('key-unknown')
  })

  test('that has been revoked ends within a second', async () => {
    const { token, key } = await makeKey()
    expect(await reasonFor(token)).toBe(`accepted as ${key.name}`)
    await revokeKey(desk, dana, key.id)
    await expect.poll(() => reasonFor(token)).toBe('key-revoked')
  })

  test('… on another replica, too', async () => {
    const { token, key } = await makeKey()
    const { recorder } = collectEvents()
    const other = await createAuthenticator({ identity: idp.identity(), store, recorder, log })
    await other.authenticate(token)
    await revokeKey(desk, dana, key.id)
    await expect.poll(() => reasonFor(token, other)).toBe('key-revoked')
    await other.close()
  })

  test('… also when the news of it is lost', async () => {
    const { token, key } = await makeKey()
    await authenticator.authenticate(token)
    // As revokeKey does it, without the notification.
    await store.query(
      `UPDATE sallyport.agent_keys SET revoked_at = clock_timestamp(), revoked_by_issuer = 'i', revoked_by_subject = 's'
        WHERE id = $1`,
      [key.id],
    )
    await expect.poll(() => reasonFor(token)).toBe('key-revoked')
  })

  test('… and for the claim at once', async () => {
    const { token, key } = await makeKey()
    const { credential } = await authenticator.authenticate(token)
    expect(await credentialStillValid(store, credential)).toBe(true)
    await revokeKey(desk, dana, key.id)
    expect(await credentialStillValid(store, credential)).toBe(false)
    const never = { ...credential, id: '00000000-0000-4000-8000-000000000000' }
    expect(await credentialStillValid(store, never)).toBe(false)
  })

  test('that has expired is worth nothing', async () => {
    const { token, key } = await makeKey({ expiresAt: new Date(Date.now() - 1_000) })
    expect(await reasonFor(token)).toBe('key-expired')
    const credential = { kind: 'agent-key', id: key.id, expiresAt: null } as const
    expect(await credentialStillValid(store, credential)).toBe(false)
  })

  test('stays revoked, and whose it is: the database refuses to change that', async () => {
    const { key } = await makeKey()
    await revokeKey(desk, dana, key.id)
    const change = (set: string) =>
      store.query(`UPDATE sallyport.agent_keys SET ${set} WHERE id = $1`, [key.id])
    await expect(
      change('revoked_at = NULL, revoked_by_issuer = NULL, revoked_by_subject = NULL'),
    ).rejects.toMatchObject({ code: 'SP004' })
    await expect(change(`owner_subject = 'mallory'`)).rejects.toMatchObject({ code: '42501' })
    await expect(change(`groups = '{admins}'`)).rejects.toMatchObject({ code: '42501' })
    await expect(
      store.query('DELETE FROM sallyport.agent_keys WHERE id = $1', [key.id]),
    ).rejects.toMatchObject({ code: '42501' })
  })

  test('is not made when that cannot go on record', async () => {
    const recorder = {
      ...desk.recorder,
      write: async () => {
        throw new Error('the audit log is down')
      },
    }
    await expect(
      createKey({ ...desk, recorder }, dana, {
        name: 'unrecorded',
        kind: 'agent',
        groups: [],
        scopes: [],
        owner: { group: 'x' },
        expiresAt: null,
      }),
    ).rejects.toThrow('the audit log is down')
    const rows = await store.query(`SELECT FROM sallyport.agent_keys WHERE name = 'unrecorded'`)
    expect(rows).toEqual([])
  })
})

describe('what is refused', () => {
  test('goes on record, with the reason and without the credential', async () => {
    const token = await idp.mint({ aud: 'another' })
    await reasonFor(token)
    expect(events).toEqual([
      {
        type: 'identity.refused',
        subject: null,
        reason: 'wrong-audience',
        details: { credential: expect.stringMatching(/^[0-9a-f]{16}$/) },
      },
    ])
  })

  test('of a revoked key it is on record whose it was', async () => {
    const { token, key } = await makeKey()
    await revokeKey(desk, dana, key.id)
    events.length = 0
    await reasonFor(token)
    expect(events).toMatchObject([
      { type: 'identity.refused', reason: 'key-revoked', subject: { subject: key.name } },
    ])
  })

  test('a flood of nonsense does not fill the audit log', async () => {
    for (let i = 0; i < 1_000; i += 1) await reasonFor(`nonsense-${i}`)
    expect(events.length).toBeLessThan(200)
  })

  test('nothing at all', async () => {
    expect(await reasonFor('')).toBe('missing')
  })

  test('a key when the store is gone: closed, and it says that it is the store', async () => {
    const { token } = await makeKey()
    const going = await openTestStore()
    const { recorder } = collectEvents()
    const cut = await createAuthenticator({ identity: idp.identity(), store: going, recorder, log })
    await cut.close()
    await going.end()
    await expect(cut.authenticate(token)).rejects.toMatchObject({ code: 'store-unavailable' })
  })
})
