import { beforeAll, expect, test } from 'vitest'
import { startProvider, type Provider } from './provider.ts'

/** ID tokens of Google's service accounts, which stand in for access tokens. */

let google: Provider
beforeAll(async () => {
  google = await startProvider('google')
})

const account = {
  aud: 'https://sallyport.example.com',
  azp: '113774264463038321964',
  sub: '113774264463038321964',
  email: 'refund-bot@acme.iam.gserviceaccount.com',
  email_verified: true,
}

test('a service account: a machine, without groups or an owner', async () => {
  const { subject } = await google.whoIs(account)
  expect(subject).toMatchObject({ subject: account.sub, kind: 'agent', groups: [], owner: null })
})

test('the ID token of a person is no access token', async () => {
  const person = { ...account, azp: 'x.apps.googleusercontent.com', sub: '1', hd: 'example.com' }
  expect(await google.refusal({ ...person, at_hash: 'x' })).toBe('not-an-access-token')
  expect(
    await google.refusal({ ...person, aud: '1234567890-abc.apps.googleusercontent.com' }),
  ).toBe('wrong-audience')
})
