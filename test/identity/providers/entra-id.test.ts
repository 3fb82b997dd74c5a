import { beforeAll, expect, test } from 'vitest'
import { startProvider, type Provider } from './provider.ts'

/** Access tokens of Microsoft Entra ID, version 2.0, and what must not pass for one. */

let entra: Provider
beforeAll(async () => {
  entra = await startProvider('entra-id')
})

const common = {
  aud: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
  tid: '9122040d-6c67-4c5b-b112-36a304b66dad',
  ver: '2.0',
  uti: 'x',
  rh: 'x',
}
const agent = 'a8e5f2d1-0000-4000-8000-000000000001'
const person = { oid: 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb', sub: 'pairwise-for-this-api' }

test('an agent’s own token: its roles, and nobody who owns it', async () => {
  const { subject } = await entra.whoIs({
    ...common,
    azp: agent,
    azpacr: '2',
    idtyp: 'app',
    oid: 'service-principal',
    sub: 'service-principal',
    roles: ['Agent'],
  })
  expect(subject).toMatchObject({ kind: 'agent', groups: ['Agent'], owner: null })
  expect(subject.related).toEqual([{ issuer: entra.issuer, subject: agent }])
})

test('on behalf of a person: an agent, which that person owns', async () => {
  const { subject, credential } = await entra.whoIs({
    ...common,
    ...person,
    azp: agent,
    scp: 'actions',
    preferred_username: 'dana@acme.com',
  })
  expect(subject).toMatchObject({ kind: 'agent', owner: { subject: 'dana@acme.com' } })
  // What keeps its name for every client ends it too, when the account is disabled.
  expect(credential.names).toContainEqual({ issuer: entra.issuer, name: person.oid, as: 'self' })
})

test('groups that are elsewhere, because there are too many, refuse the token', async () => {
  const overage = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'x' } } }
  // App roles are not what is left out.
  expect(
    await entra.refusal({ ...common, ...person, azp: agent, ...overage, roles: ['Agent'] }),
  ).toMatch(/accepted/)
  expect(
    await entra.refusal({ ...common, ...person, azp: agent, _claim_names: { roles: 'src1' } }),
  ).toBe('bad-claims')
})

test('version 1.0 comes from another issuer', async () => {
  const v1 = {
    ...common,
    ver: '1.0',
    iss: 'https://sts.windows.net/9122040d-6c67-4c5b-b112-36a304b66dad/',
    appid: agent,
  }
  expect(await entra.refusal({ ...v1, ...person })).toBe('unknown-issuer')
})

test('an ID token of the console, and a token for somebody else', async () => {
  const id = { ...common, ...person, aud: '00001111-aaaa-2222-bbbb-3333cccc4444' }
  expect(await entra.refusal(id)).toBe('wrong-audience')
  expect(await entra.refusal({ ...id, aud: common.aud, nonce: 'x' })).toBe('not-an-access-token')
})
