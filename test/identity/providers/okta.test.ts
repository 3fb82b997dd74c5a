import { beforeAll, expect, test } from 'vitest'
import { personOfPrincipal } from '../../../src/identity/people.ts'
import { startProvider, type Provider } from './provider.ts'

/** Tokens of a custom authorization server of Okta. */

let okta: Provider
beforeAll(async () => {
  okta = await startProvider('okta')
})

const common = { ver: 1, jti: 'AT.x', aud: 'api://sallyport', scp: ['actions'] }

test('an agent’s application', async () => {
  const { subject } = await okta.whoIs({
    ...common,
    cid: '0oaAgent',
    sub: '0oaAgent',
    groups: ['agents'],
    agent_owner: 'priya@acme.com',
  })
  expect(subject).toMatchObject({
    subject: '0oaAgent',
    kind: 'agent',
    groups: ['agents'],
    owner: { issuer: okta.issuer, subject: 'priya@acme.com' },
  })
})

test('a person with the CLI is the person who logs in to the console', async () => {
  const principal = await okta.whoIs({
    ...common,
    cid: '0oaCli',
    uid: '00uDana',
    sub: 'dana@acme.com',
    groups: ['approvers'],
    auth_time: 1,
  })
  expect(principal.subject.kind).toBe('human')
  expect(personOfPrincipal(principal, okta.identity)?.identifiers).toEqual([
    'dana@acme.com',
    '00udana',
  ])
})

test('a person’s token that an agent obtained is the agent’s', async () => {
  const { subject } = await okta.whoIs({
    ...common,
    cid: '0oaAgent',
    uid: '00uDana',
    sub: 'dana@acme.com',
    agent_owner: 'dana@acme.com',
  })
  expect(subject).toMatchObject({ kind: 'agent', owner: { subject: 'dana@acme.com' } })
})

test('tokens of the org server are for Okta alone', async () => {
  const token = { ...common, aud: 'https://acme.okta.com', cid: '0oaAgent', sub: '0oaAgent' }
  expect(await okta.refusal(token)).toBe('wrong-audience')
  expect(await okta.refusal(token, { typ: 'application/okta-internal-at+jwt' })).toBe(
    'not-an-access-token',
  )
})
