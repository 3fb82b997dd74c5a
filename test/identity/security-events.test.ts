import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Keyring } from '../../src/config/keyring.ts'
import type { ControlServer } from '../../src/console/context.ts'
import { createControlServer } from '../../src/console/server.ts'
import type { EventInput } from '../../src/core/event.ts'
import { createKey } from '../../src/identity/api-key.ts'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { credentialStillValid } from '../../src/identity/credential.ts'
import { isDisabled } from '../../src/identity/ended-subjects.ts'
import { rememberPerson } from '../../src/identity/people.ts'
import { beginSession, findSession } from '../../src/identity/session.ts'
import type { Store } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

/** CAEP and RISC, pushed to the control plane of one replica, and what becomes of tokens, sessions and keys on another one. */

const log = createLog('silent')
const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
const risc = 'https://schemas.openid.net/secevent/risc/event-type/'

let idp: TokenIssuer
let transmitter: TokenIssuer
let sleepy: TokenIssuer
let store: Store
let control: ControlServer
let url: string
let here: Authenticator
let elsewhere: Authenticator
let events: EventInput[]
let people = 0
let name: string

beforeAll(async () => {
  idp = await startTokenIssuer()
  transmitter = await startTokenIssuer()
  sleepy = await startTokenIssuer()
  store = await openTestStore()
  const identity = idp.identity({
    issuers: [{ issuer: idp.issuer, audience: 'sallyport', claims: { owner: 'agent_owner' } }],
    login: { issuer: idp.issuer, client_id: 'console', cli_client_id: 'cli' },
    events: [transmitter, sleepy].map(({ issuer }) => ({
      issuer,
      audience: 'https://gateway.example.com',
      jwks_uri: `${issuer}/jwks`,
      about: [idp.issuer],
    })),
  })
  const collected = collectEvents()
  events = collected.events
  const deps = { identity, store, recorder: collected.recorder, log }
  here = await createAuthenticator(deps)
  elsewhere = await createAuthenticator(deps)
  control = await createControlServer({
    ...deps,
    publicUrl: undefined,
    govern: async () => null,
    cookieKeys: new Keyring([{ key: Buffer.alloc(32, 7), madeAt: new Date(0) }]),
    csrfKey: Buffer.alloc(32, 7),
    authenticator: here,
    obstacle: async () => null,
    pages: null,
  })
  await control.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(control.server.address() as AddressInfo).port}/identity/events`
})
beforeEach(() => {
  events.length = 0
  name = `person-${(people += 1)}`
})
afterAll(async () => {
  await control.close()
  await here.close()
  await elsewhere.close()
  await idp.close()
  await transmitter.close()
  await sleepy.close()
})

const seconds = () => Math.floor(Date.now() / 1000)

function event(
  type: string,
  claims: Record<string, unknown> = {},
  header = {},
  by = transmitter,
): Promise<string> {
  return by.mint(
    {
      aud: 'https://gateway.example.com',
      jti: crypto.randomUUID(),
      sub: undefined,
      exp: undefined,
      sub_id: { format: 'iss_sub', iss: idp.issuer, sub: name },
      events: { [type]: { event_timestamp: seconds() } },
      ...claims,
    },
    { typ: 'secevent+jwt', ...header },
  )
}

const push = (body: string, type = 'application/secevent+jwt') =>
  fetch(url, { method: 'POST', headers: { 'content-type': type }, body })

/** Issued a little earlier: times in tokens are whole seconds. */
const token = (claims: Record<string, unknown> = {}) =>
  idp.mint({ sub: name, iat: seconds() - 10, ...claims })

async function answer(by: Authenticator, credential: string): Promise<string> {
  try {
    const { subject } = await by.authenticate(credential)
    return `accepted as ${subject.subject}`
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error)
  }
}

/** Asks until it is refused: the news takes a moment. */
async function untilRefused(by: Authenticator, credential: string): Promise<string> {
  for (;;) {
    const reason = await answer(by, credential)
    if (!reason.startsWith('accepted')) return reason
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const person = (subject = name) => ({
  issuer: idp.issuer,
  subject,
  name: subject,
  email: null,
  groups: ['approvers'],
  identifiers: [subject, `${subject}@example.com`],
})

describe('a session that was revoked', () => {
  test('ends the tokens of that subject on every replica, those that were accepted a moment ago too, and is on record', async () => {
    const old = await token()
    const another = await token({ sub: 'somebody-else' })
    expect(await answer(elsewhere, old)).toBe(`accepted as ${name}`)
    expect((await push(await event(`${caep}session-revoked`))).status).toBe(202)
    expect(await untilRefused(elsewhere, old)).toBe('session-revoked')
    expect(await untilRefused(here, old)).toBe('session-revoked')
    expect(await answer(here, another)).toBe('accepted as somebody-else')
    expect(await answer(here, await token({ iat: seconds() + 5 }))).toBe(`accepted as ${name}`)
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'identity.session_revoked',
        subject: expect.objectContaining({ issuer: idp.issuer, subject: name }),
      }),
    )
  })

  test('ends what an agent does for that subject, whoever acts, and what was approved before cannot be used', async () => {
    const delegated = await token({ act: { sub: 'planner', act: { sub: 'worker' } } })
    const acting = await token({ sub: 'omar', act: { sub: 'planner', act: { sub: name } } })
    const { credential } = await here.authenticate(delegated)
    expect(await credentialStillValid(store, credential)).toBe(true)
    await push(await event(`${caep}session-revoked`))
    expect(await credentialStillValid(store, credential)).toBe(false)
    expect(await untilRefused(here, delegated)).toBe('session-revoked')
    expect(await untilRefused(here, acting)).toBe('session-revoked')
  })

  test('ends what goes on with a token that was shown at its beginning, such as a session of a database', async () => {
    const principal = await here.authenticate(await token())
    const stillGood = async () => {
      try {
        await here.recheck(principal)
        return 'good'
      } catch (error) {
        return (error as { reason?: string }).reason
      }
    }
    expect(await stillGood()).toBe('good')
    await push(await event(`${caep}session-revoked`))
    await expect.poll(stillGood).toBe('session-revoked')
    const over = { ...principal, credential: { ...principal.credential, expiresAt: 1 } }
    await expect(async () => here.recheck(over)).rejects.toMatchObject({ reason: 'token-expired' })
  })

  test('ends the session at the console, and none that begins after it', async () => {
    const begin = () => beginSession(store, person(), { idToken: 'x', lifetime: 60_000 })
    const before = await begin()
    expect(await findSession(store, before)).not.toBeNull()
    await push(
      await event(`${caep}session-revoked`, {
        events: { [`${caep}session-revoked`]: { event_timestamp: seconds() + 30 } },
      }),
    )
    expect(await findSession(store, before)).toBeNull()
    expect(await findSession(store, await begin())).not.toBeNull()
  })

  test.each([
    ['by e-mail address', { format: 'email', email: 'PERSON@example.com' }],
    [
      'as a user in a complex subject',
      {
        format: 'complex',
        user: { format: 'email', email: 'person@example.com' },
        session: { format: 'opaque', id: 'x' },
      },
    ],
    ['as drafts had it: in the event', undefined],
  ])('is known %s', async (_, sub_id) => {
    const old = await token({ sub: `drawn-${name}`, email: `${name}@example.com` })
    const said = JSON.parse(JSON.stringify(sub_id ?? null).replaceAll(/person(?=@)/gi, name)) as
      object | null
    const subject = { subject_type: 'x', format: 'email', email: `${name}@example.com` }
    const type = `${caep}session-revoked`
    const set = await event(type, {
      sub_id: said ?? undefined,
      events: { [type]: { event_timestamp: seconds(), ...(said ? {} : { subject }) } },
    })
    expect((await push(set)).status).toBe(202)
    expect(await untilRefused(here, old)).toBe('session-revoked')
  })

  test('by a name that only their login has told: other names of that person count too', async () => {
    await rememberPerson(store, person())
    const old = await token({ sub: `${name}@example.com` })
    await push(await event(`${caep}session-revoked`))
    expect(await untilRefused(here, old)).toBe('session-revoked')
  })
})

describe('an account that was disabled', () => {
  test('refuses every token, whenever it was issued, until it is enabled; what was issued before stays refused', async () => {
    const [before, later] = [await token(), await token({ iat: seconds() + 25 })]
    await push(await event(`${risc}account-disabled`))
    expect(await untilRefused(here, later)).toBe('account-disabled')
    expect(await answer(here, before)).toBe('account-disabled')
    await push(await event(`${risc}account-enabled`))
    await expect.poll(() => answer(here, later)).toBe(`accepted as ${name}`)
    expect(await answer(here, before)).toBe('session-revoked')
  })

  test('an older event that comes late does not enable it again', async () => {
    const credential = await token({ iat: seconds() + 5 })
    const type = `${risc}account-enabled`
    await push(await event(`${risc}account-disabled`))
    await push(await event(type, { events: { [type]: {} }, iat: seconds() - 60 }))
    expect(await untilRefused(here, credential)).toBe('account-disabled')
  })

  test('ends the keys and the agents of that owner, their session, and their vote', async () => {
    const { recorder } = collectEvents()
    const owner = await rememberPerson(store, person())
    const { token: key } = await createKey({ store, recorder, log }, person('admin'), {
      name: `key-of-${name}`,
      kind: 'agent',
      groups: [],
      scopes: [],
      owner: { issuer: idp.issuer, subject: name },
      expiresAt: null,
    })
    const agent = await token({ sub: 'refund-bot', agent_owner: name })
    const cookie = await beginSession(store, owner, { idToken: 'x', lifetime: 60_000 })
    // That they logged out ends nothing of it.
    await push(await event(`${caep}session-revoked`))
    expect(await answer(here, key)).toMatch(/accepted/)
    await push(await event(`${risc}account-disabled`))
    expect(await untilRefused(here, key)).toBe('account-disabled')
    expect(await untilRefused(here, agent)).toBe('account-disabled')
    expect(await findSession(store, cookie)).toBeNull()
    expect(await isDisabled(store, owner)).toBe(true)
    expect(await isDisabled(store, person('lena'))).toBe(false)
  })
})

test('a replica that starts later knows it too', async () => {
  await push(await event(`${caep}session-revoked`))
  const { recorder } = collectEvents()
  const late = await createAuthenticator({ identity: idp.identity(), store, recorder, log })
  expect(await answer(late, await token())).toBe('session-revoked')
  await late.close()
})

describe('an event that proves nothing', () => {
  test.each([
    [
      'signed by somebody else',
      'invalid_key',
      () =>
        idp.mint(
          { iss: transmitter.issuer, aud: 'https://gateway.example.com', jti: 'x', events: {} },
          { typ: 'secevent+jwt' },
        ),
    ],
    [
      'of an unknown issuer',
      'invalid_issuer',
      () => idp.mint({ jti: 'x', events: {} }, { typ: 'secevent+jwt' }),
    ],
    [
      'for another audience',
      'invalid_audience',
      () => event(`${caep}session-revoked`, { aud: 'https://other.example.com' }),
    ],
    [
      'an access token',
      'authentication_failed',
      () => event(`${caep}session-revoked`, {}, { typ: 'at+jwt' }),
    ],
    [
      'without an id',
      'authentication_failed',
      () => event(`${caep}session-revoked`, { jti: undefined }),
    ],
    [
      'from long ago',
      'invalid_request',
      () => event(`${caep}session-revoked`, { iat: 1_500_000_000 }),
    ],
    [
      'about a subject of another issuer',
      'invalid_request',
      () =>
        event(`${caep}session-revoked`, {
          sub_id: { format: 'iss_sub', iss: 'https://other.example.com', sub: 'dana' },
        }),
    ],
    [
      'about nobody',
      'invalid_request',
      () => event(`${caep}session-revoked`, { sub_id: undefined }),
    ],
    [
      'about somebody who cannot be told',
      'invalid_request',
      () =>
        event(`${caep}session-revoked`, { sub_id: { format: 'phone_number', phone_number: '+1' } }),
    ],
    ['nonsense', 'invalid_request', async () => 'nonsense'],
    ['without end', 'invalid_request', async () => 'x'.repeat(50_000)],
  ])('%s is refused, its sender learns why, and nobody is stopped', async (_, err, make) => {
    const answered = await push(await make())
    expect({ status: answered.status, ...((await answered.json()) as object) }).toMatchObject({
      status: 400,
      err,
    })
    expect(events).toEqual([])
  })

  test('as another type of content', async () => {
    expect((await push(await event(`${caep}session-revoked`), 'text/plain')).status).toBe(400)
    expect((await push('{}', 'application/json')).status).toBe(400)
  })
})

test('an event counts once: sent again it is taken, and does nothing', async () => {
  const set = await event(`${caep}session-revoked`)
  expect((await push(set)).status).toBe(202)
  expect((await push(set)).status).toBe(202)
  expect(events).toHaveLength(1)
})

test('what means nothing here, such as the verification of the stream, is taken', async () => {
  const type = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
  const set = await event(type, {
    sub_id: { format: 'opaque', id: 'stream' },
    events: { [type]: { state: 'x' } },
  })
  expect((await push(set)).status).toBe(202)
  expect(events).toEqual([])
})

test('when its keys cannot be fetched it is to be sent again, and is taken then', async () => {
  sleepy.setDown(true)
  const set = await event(`${caep}session-revoked`, {}, {}, sleepy)
  expect((await push(set)).status).toBe(503)
  sleepy.setDown(false)
  await expect.poll(async () => (await push(set)).status).toBe(202)
})
