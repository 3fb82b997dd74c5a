import { beforeAll, expect, test } from 'vitest'
import { startProvider, type Provider } from './provider.ts'

/** Access tokens of a realm of Keycloak, which is asked about each of them. */

let keycloak: Provider
beforeAll(async () => {
  keycloak = await startProvider('keycloak')
})

const common = {
  typ: 'Bearer',
  jti: 'trrtcc:x',
  acr: '1',
  scope: 'email profile',
  aud: ['sallyport', 'account'],
}

test('a service account, with groups and a hard-coded owner', async () => {
  const { subject, credential } = await keycloak.whoIs({
    ...common,
    sub: 'b1f5c2f0-2d2c-4b0f-8f5b-000000000001',
    azp: 'refund-bot',
    client_id: 'refund-bot',
    preferred_username: 'service-account-refund-bot',
    realm_access: { roles: ['offline_access', 'uma_authorization'] },
    groups: ['agents'],
    agent_owner: 'priya',
  })
  expect(subject).toMatchObject({ kind: 'agent', groups: ['agents'], owner: { subject: 'priya' } })
  // Asked again when an approval is used.
  expect(credential.recheck).toBeTypeOf('function')
})

test('a person with the CLI', async () => {
  const { subject } = await keycloak.whoIs({
    ...common,
    sub: 'b1f5c2f0-2d2c-4b0f-8f5b-000000000002',
    azp: 'sallyport-cli',
    sid: 'x',
    preferred_username: 'dana',
    groups: ['approvers'],
  })
  expect(subject).toMatchObject({ kind: 'human', groups: ['approvers'] })
})

test('without the audience mapper, and the other tokens of the same keys', async () => {
  const person = { ...common, sub: 'x', azp: 'sallyport-cli' }
  expect(await keycloak.refusal({ ...person, aud: 'account' })).toBe('wrong-audience')
  for (const typ of ['ID', 'Refresh', 'Logout'])
    expect(await keycloak.refusal({ ...person, typ })).toBe('not-an-access-token')
})
