import { beforeAll, expect, test } from 'vitest'
import { startProvider, type Provider } from './provider.ts'

/** Access tokens of Auth0 for an API. */

let auth0: Provider
beforeAll(async () => {
  auth0 = await startProvider('auth0')
})

const ours = 'https://sallyport.example.com'

test('an agent, with owner and groups from its metadata', async () => {
  const { subject } = await auth0.whoIs({
    aud: ours,
    sub: 'agentClientId@clients',
    azp: 'agentClientId',
    gty: 'client-credentials',
    scope: 'actions',
    [`${ours}/groups`]: ['agents'],
    [`${ours}/owner`]: 'priya@acme.com',
  })
  expect(subject).toMatchObject({
    subject: 'agentClientId@clients',
    kind: 'agent',
    groups: ['agents'],
    owner: { subject: 'priya@acme.com' },
    related: [{ subject: 'agentClientId' }],
  })
})

test('a person with the CLI, with two audiences in the token', async () => {
  const { subject } = await auth0.whoIs({
    aud: [ours, 'https://acme.eu.auth0.com/userinfo'],
    sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
    azp: 'cliClientId',
    email: 'dana@acme.com',
    [`${ours}/groups`]: ['approvers'],
  })
  expect(subject).toMatchObject({ kind: 'human', groups: ['approvers'] })
})

test('an ID token, a token for the management API, an issuer without its slash', async () => {
  const person = { sub: 'auth0|1', azp: 'cliClientId' }
  expect(await auth0.refusal({ ...person, aud: 'consoleClientId', nonce: 'x' })).toBe(
    'wrong-audience',
  )
  expect(await auth0.refusal({ ...person, aud: 'https://acme.eu.auth0.com/api/v2/' })).toBe(
    'wrong-audience',
  )
  expect(await auth0.refusal({ ...person, aud: ours, iss: `${auth0.issuer}/` })).toBe(
    'unknown-issuer',
  )
})
