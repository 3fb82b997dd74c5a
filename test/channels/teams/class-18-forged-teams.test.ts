import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openTeams } from '../../../src/channels/teams/open.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Activity, TeamsMessage } from '../../support/teams-server.ts'
import type { Held } from '../chat-scene.ts'
import { accounts, startTeamsGateway, textOf, type TeamsGateway } from './teams-gateway.ts'

let here: TeamsGateway
let held: Held<TeamsMessage>

beforeAll(async () => {
  here = await startTeamsGateway()
  await here.link('dana')
  held = await here.hold()
})

afterAll(() => here.close())

const click = (more: Activity = {}): Activity => ({
  ...here.teams.pressed(held.message, 'Approve once', accounts.dana),
  ...more,
})

const elsewhere = 'cccccccc-0000-4000-8000-000000000003'
const now = () => Math.floor(Date.now() / 1000)

/** Claims as Bot Framework signs them, by somebody else. */
async function signedBy(alg: 'RS256' | 'PS256', header: Record<string, unknown> = {}) {
  const { privateKey } = await generateKeyPair(alg)
  return new SignJWT({
    iss: 'https://api.botframework.com',
    aud: here.teams.appId,
    serviceurl: `${here.teams.url}/amer/`,
  })
    .setProtectedHeader({ alg, ...header })
    .setExpirationTime('5m')
    .sign(privateKey)
}

async function kid(): Promise<string> {
  const [header = ''] = (await here.teams.token()).split('.')
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid
}

/** Tokens that are not of Bot Framework, or not for this bot, or not now. */
const tokens: readonly (readonly [string, () => Promise<string>])[] = [
  ['of another issuer', () => here.teams.token({ iss: 'https://evil.test' })],
  ['of no issuer', () => here.teams.token({ iss: undefined })],
  [
    'that Entra made for the bot, in this very tenant: any application there can get one',
    () =>
      here.teams.token({
        iss: `${here.teams.url}/entra/${here.teams.tenant}/v2.0`,
        tid: here.teams.tenant,
        serviceurl: undefined,
      }),
  ],
  [
    'of an older Entra',
    () => here.teams.token({ iss: `https://sts.windows.net/${here.teams.tenant}/` }),
  ],
  ['for another bot', () => here.teams.token({ aud: elsewhere })],
  ['for nobody', () => here.teams.token({ aud: undefined })],
  ['that is over', () => here.teams.token({ exp: now() - 400 })],
  ['that never ends', () => here.teams.token({ exp: undefined })],
  ['that is not good yet', () => here.teams.token({ nbf: now() + 400 })],
  [
    'for another service URL than the message names',
    () => here.teams.token({ serviceurl: `${here.teams.url}/emea/` }),
  ],
  ['for no service URL', () => here.teams.token({ serviceurl: undefined })],
  ['signed with another key', () => signedBy('RS256', {})],
  [
    'signed with another key, under a published id',
    async () => signedBy('RS256', { kid: await kid() }),
  ],
  ['signed with another algorithm', async () => signedBy('PS256', { kid: await kid() })],
  [
    'that is not signed',
    async () =>
      new UnsecuredJWT({
        iss: 'https://api.botframework.com',
        aud: here.teams.appId,
        serviceurl: `${here.teams.url}/amer/`,
      })
        .setExpirationTime('5m')
        .encode(),
  ],
  [
    'signed with the public key as if that were a secret',
    async () => {
      const published = await fetch(`${here.teams.url}/bot/.well-known/keys`)
      const { keys } = (await published.json()) as { keys: JWK[] }
      const publicKey = (await importJWK(keys[0]!, 'RS256', { extractable: true })) as CryptoKey
      return new SignJWT({
        iss: 'https://api.botframework.com',
        aud: here.teams.appId,
        serviceurl: `${here.teams.url}/amer/`,
      })
        .setProtectedHeader({ alg: 'HS256', kid: await kid() })
        .setExpirationTime('5m')
        .sign(Buffer.from(await exportSPKI(publicKey)))
    },
  ],
  [
    'whose claims were changed',
    async () => {
      const [header, claims, signature] = (await here.teams.token({ aud: elsewhere })).split('.')
      const changed = Buffer.from(claims!, 'base64url')
        .toString()
        .replace(elsewhere, here.teams.appId)
      return [header, Buffer.from(changed).toString('base64url'), signature].join('.')
    },
  ],
  ['that is none', async () => 'a.b.c'],
]

/** Good tokens, with something that is not this bot's, or not this tenant's. */
const activities: readonly (readonly [string, number, () => Activity])[] = [
  [
    'another tenant',
    403,
    () => click({ channelData: { tenant: { id: elsewhere }, team: { id: here.teams.team.id } } }),
  ],
  [
    'somebody of another tenant, in a channel that is shared with it',
    403,
    () =>
      click({
        from: { id: '29:dana', name: 'dana', aadObjectId: accounts.dana, tenantId: elsewhere },
      }),
  ],
  [
    'a conversation of another tenant',
    403,
    () => click({ conversation: { id: here.teams.team.channel, tenantId: elsewhere } }),
  ],
  ['no tenant', 403, () => click({ channelData: {} })],
  ['another bot', 403, () => click({ recipient: { id: `28:${elsewhere}` } })],
  ['another channel than Teams', 403, () => click({ channelId: 'directline' })],
  ['nothing that can be told apart', 403, () => click({ id: '' })],
  [
    'an account that Teams does not vouch for',
    400,
    () => click({ from: { id: `29:${accounts.dana}`, name: 'dana' } }),
  ],
  [
    'an e-mail address in the place of an account',
    400,
    () => click({ from: { id: '29:x', name: 'dana', aadObjectId: 'dana@example.com' } }),
  ],
  ['a login that is not ours', 404, () => click({ name: 'signin/tokenExchange' })],
  ['something that nobody listens to', 404, () => click({ type: 'event' })],
  ['no service URL', 401, () => click({ serviceUrl: undefined })],
]

describe('class 18, forged Teams: nobody votes with', () => {
  it.each(tokens)('a token %s', async (_, token) => {
    expect((await here.send(click(), await token())).status).toBe(401)
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
  })

  it('anything like that, unseen: the log says so', () => {
    expect(here.gateway.logged()).toContain('was not signed by Bot Framework for Teams')
  })

  it('no token', async () => {
    const response = await fetch(`${here.gateway.controlUrl}/teams/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(click()),
    })
    expect(response.status).toBe(401)
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
  })

  it.each(activities)('a good token, and %s', async (_, status, activity) => {
    expect((await here.send(activity())).status).toBe(status)
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
  })

  it('a token of Bot Framework’s other channels, where whoever writes chooses who they are', async () => {
    const serviceUrl = 'https://webchat.botframework.com/'
    const token = await here.teams.token({ serviceurl: serviceUrl })
    expect((await here.send(click({ serviceUrl }), token)).status).toBe(401)
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
  })

  it('a button of another card: what was clicked is what is voted on', async () => {
    const other = await here.hold()
    const ballot = {
      approval: held.approval.id,
      digest: other.approval.action.digest,
      view: other.approval.view_hash,
      scope: 'once',
    }
    const action = { type: 'Action.Execute', verb: 'sallyport_approve', data: { ballot } }
    const said = await here.send(click({ value: { action } }))
    const { value } = (await said.json()) as { value: TeamsMessage['card'] }
    // Not even what the other one is about.
    expect(textOf(value)).toBe(
      'This did not count. What you saw is not what would run. Look at it again.',
    )
    expect((await here.gateway.approval(held.approval.id)).state).toBe('pending')
    await here.gateway.vote('dana', other.approval, 'deny')
  })

  it('a button that no card of ours has', async () => {
    const action = { type: 'Action.Execute', verb: 'sallyport_release', data: {} }
    expect((await here.send(click({ value: { action } }))).status).toBe(400)
  })

  it('what was let pass before, on this replica or after a restart', async () => {
    const [activity, token] = [click(), await here.teams.token()]
    expect((await here.send(activity, token)).status).toBe(200)
    expect((await held.answer).status).toBe(201)
    const ran = here.upstream.arrived.length
    expect((await here.send(activity, token)).status).toBe(403)
    await here.gateway.restart()
    expect((await here.send(activity, token)).status).toBe(403)
    expect(here.upstream.arrived.length).toBe(ran)
  })

  it('empty credentials: nothing starts with them', async () => {
    const file = join(here.gateway.folder, 'empty.yaml')
    const { tenant, appId } = here.teams
    const write = (secret: string) =>
      writeFileSync(
        file,
        `channels:\n  teams: { tenant: ${tenant}, app_id: ${appId}, client_secret: ${secret} }\n`,
      )
    write("'${TEAMS_SECRET}'")
    expect(() => loadConfig(file, { TEAMS_SECRET: '' })).toThrow(/TEAMS_SECRET/)
    write("''")
    expect(() => loadConfig(file, {})).toThrow('Write the client secret')
    await expect(
      openTeams(
        { tenant, app_id: '', client_secret: 'x'.repeat(16), cloud: 'public', endpoints: {} },
        {} as Parameters<typeof openTeams>[1],
      ),
    ).rejects.toThrow('the credentials of Teams are empty')
  })
})

describe('class 18, forged Teams: the SDK’s environment variables', () => {
  afterAll(() => vi.unstubAllEnvs())

  it('turn nothing off, and lead nowhere else', async () => {
    vi.stubEnv('DANGEROUSLY_ALLOW_UNAUTHENTICATED_REQUESTS', 'true')
    vi.stubEnv('CLIENT_ID', elsewhere)
    vi.stubEnv('CLIENT_SECRET', 'another-secret')
    vi.stubEnv('TENANT_ID', elsewhere)
    vi.stubEnv('SERVICE_URL', 'https://evil.test')
    vi.stubEnv('CLOUD', 'China')
    await here.gateway.restart()
    const forged = await here.teams.token({ aud: elsewhere })
    expect((await here.send(click(), forged)).status).toBe(401)
    const { answer, message } = await here.hold()
    await here.press(message, 'Approve once', 'dana')
    expect((await answer).status).toBe(201)
  })
})
