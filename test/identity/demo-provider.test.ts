import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  allowInsecureRequests,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
} from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { startIdentityProvider } from '../../src/quickstart/identity-provider.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Browser } from '../support/browser.ts'
import {
  collectEvents,
  startControlPlane,
  type TestControlPlane,
} from '../support/control-plane.ts'

/** The identity provider of the quickstart, and the tokens that it gives, from end to end. */

let plane: TestControlPlane
let authenticator: Authenticator

beforeAll(async () => {
  plane = await startControlPlane()
  authenticator = await createAuthenticator({
    identity: plane.identity,
    store: plane.store,
    recorder: collectEvents().recorder,
    log: createLog('silent'),
  })
})
afterAll(async () => {
  await authenticator.close()
  await plane.close()
})

async function exchange(agent: string, subject_token: string): Promise<Response> {
  const { idp } = plane
  const basic = Buffer.from(`${agent}:${idp.agents[agent]}`).toString('base64')
  return fetch(`${idp.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }),
  })
}

describe('agents', () => {
  test('the support agent is in the group agents, and Priya answers for it', async () => {
    const { subject } = await authenticator.authenticate(
      await plane.idp.agentToken('support-agent'),
    )
    expect(subject).toMatchObject({
      issuer: plane.idp.issuer,
      subject: 'support-agent',
      kind: 'agent',
      groups: ['agents'],
      owner: { issuer: plane.idp.issuer, subject: 'priya' },
      chain: [],
    })
  })

  test('nobody answers for the stray agent', async () => {
    const { subject } = await authenticator.authenticate(await plane.idp.agentToken('stray-agent'))
    expect(subject.owner).toBeNull()
  })

  test('an agent that acts for Dana is an agent, with her behind it', async () => {
    const answer = await exchange('support-agent', await plane.idp.personToken('dana'))
    const { access_token } = (await answer.json()) as { access_token: string }
    const { subject } = await authenticator.authenticate(access_token)
    expect(subject).toMatchObject({
      subject: 'dana',
      kind: 'agent',
      groups: ['agents'],
      chain: [{ issuer: plane.idp.issuer, subject: 'support-agent' }],
    })

    const again = await exchange('stray-agent', access_token)
    const second = ((await again.json()) as { access_token: string }).access_token
    expect((await authenticator.authenticate(second)).subject.chain).toEqual([
      { issuer: plane.idp.issuer, subject: 'stray-agent' },
      { issuer: plane.idp.issuer, subject: 'support-agent' },
    ])
  })

  test('a token of somebody else is not exchanged', async () => {
    expect((await exchange('support-agent', 'eyJhbGciOiJub25lIn0.e30.')).status).toBe(400)
  })
})

describe('the device flow', () => {
  async function start() {
    const settings = (await (await fetch(`${plane.url}/api/login/settings`)).json()) as {
      issuer: string
      client_id: string
      scope: string
      audience: string
    }
    expect(settings).toEqual({
      issuer: plane.idp.issuer,
      client_id: 'sallyport-cli',
      audience: 'sallyport',
      scope: 'openid profile email offline_access',
    })
    const client = await discovery(
      new URL(settings.issuer),
      settings.client_id,
      undefined,
      None(),
      {
        execute: [allowInsecureRequests],
      },
    )
    const device = await initiateDeviceAuthorization(client, { scope: settings.scope })
    return { client, device: { ...device, interval: 1 } }
  }

  test('Omar logs in a terminal, with the code that it shows, and votes from there as himself', async () => {
    const { client, device } = await start()
    const browser = new Browser()
    const code = await browser.open(device.verification_uri)
    const confirm = await browser.submit(code, { user_code: device.user_code })
    expect(confirm.body).toContain(device.user_code)
    const chooser = await browser.submit(confirm, {})
    const done = await browser.submit(chooser, { person: 'omar' })
    expect(done.body).toContain('Go back to your terminal.')

    const tokens = await pollDeviceAuthorizationGrant(client, device)
    expect(tokens.refresh_token).toEqual(expect.any(String))
    const me = await fetch(`${plane.url}/api/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(await me.json()).toMatchObject({
      person: { issuer: plane.idp.issuer, subject: 'omar', name: 'Omar Haddad' },
      roles: ['approver'],
    })
  })

  test('the ID token of the same login opens nothing', async () => {
    const { client, device } = await start()
    const browser = new Browser()
    const code = await browser.open(device.verification_uri)
    const confirm = await browser.submit(code, { user_code: device.user_code })
    await browser.submit(await browser.submit(confirm, {}), { person: 'omar' })
    const { id_token } = await pollDeviceAuthorizationGrant(client, device)
    const me = await fetch(`${plane.url}/api/me`, {
      headers: { authorization: `Bearer ${id_token}` },
    })
    expect(me.status).toBe(401)
  })

  test('a code that nobody got is told so', async () => {
    const { device } = await start()
    const browser = new Browser()
    const code = await browser.open(device.verification_uri)
    const answer = await browser.submit(code, { user_code: 'BBBB-BBBB' })
    expect(answer.body).toContain('That code is not known here.')
  })
})

describe('its pages', () => {
  test('run no inline script, cannot be framed, and say that they are a demo', async () => {
    const page = await new Browser().open(`${plane.url}/login`)
    const policy = page.headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(page.body).not.toContain('<script')
    expect(page.body).toContain('This is a demo.')
  })

  test('somebody who is not on the list cannot be chosen', async () => {
    const browser = new Browser()
    const page = await browser.open(`${plane.url}/login`)
    expect((await browser.submit(page, { person: 'mallory' })).status).toBe(400)
  })
})

test('a restart keeps tokens and secrets valid', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-idp-'))
  const log = createLog('silent')
  const first = await startIdentityProvider({ port: 0, dataDir, log })
  const port = Number(new URL(first.issuer).port)
  const keys = await (await fetch(`${first.issuer}/jwks`)).json()
  await first.close()
  const second = await startIdentityProvider({ port, dataDir, log })
  expect(second.issuer).toBe(first.issuer)
  expect(second.agents).toEqual(first.agents)
  expect(second.console).toEqual(first.console)
  expect(await (await fetch(`${second.issuer}/jwks`)).json()).toEqual(keys)
  await second.close()
})
