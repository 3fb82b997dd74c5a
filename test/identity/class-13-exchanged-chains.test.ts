import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exclusionOf, isExcluded } from '../../src/approvals/exclusion.ts'
import type { Person } from '../../src/core/person.ts'
import { actingFor, type Subject } from '../../src/core/subject.ts'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

/**
 * security.md, class 13: self-approval through chains of exchanged tokens (RFC 8693). Who is the subject, who acts, for whom, and who may not approve, from the
 * token on.
 */

let idp: TokenIssuer
let authenticator: Authenticator

beforeAll(async () => {
  idp = await startTokenIssuer()
  const { recorder } = collectEvents()
  const [identity, store] = [idp.identity(), await openTestStore()]
  authenticator = await createAuthenticator({ identity, store, recorder, log: createLog('silent') })
})
afterAll(async () => {
  await authenticator.close()
  await idp.close()
})

const subjectOf = async (claims: Record<string, unknown>): Promise<Subject> =>
  (await authenticator.authenticate(await idp.mint(claims))).subject

const person = (subject: string, issuer = idp.issuer): Person => ({
  issuer,
  subject,
  name: subject,
  email: null,
  groups: ['approvers'],
  identifiers: [subject],
})

/** `['c', 'b', 'a']`: c acts now, b before it, a first. */
function actors([current, ...before]: string[]): Record<string, unknown> {
  return { sub: current, ...(before.length > 0 && { act: actors(before) }) }
}

describe('a person’s token, exchanged by one agent after another', () => {
  const chain = ['reporter', 'planner', 'assistant']
  const claims = { sub: 'dana', kind: 'human', azp: 'chat-app', act: actors(chain) }

  test('is about the person, is never human, and acts for them', async () => {
    const subject = await subjectOf(claims)
    expect(subject).toMatchObject({ subject: 'dana', kind: 'agent' })
    expect(subject.chain.map((party) => party.subject)).toEqual(chain)
    expect(actingFor(subject)).toEqual({ issuer: idp.issuer, subject: 'dana' })
  })

  test.each(['dana', ...chain, 'chat-app'])('and %s cannot approve it', async (name) => {
    const exclusion = exclusionOf(await subjectOf(claims))
    expect(isExcluded(person(name), exclusion)).toBe(true)
    expect(isExcluded(person('lena'), exclusion)).toBe(false)
  })

  test('with an owner besides: the person it acts for is still the one, and neither can approve it', async () => {
    const subject = await subjectOf({ ...claims, agent_owner: 'priya' })
    expect(actingFor(subject)).toEqual({ issuer: idp.issuer, subject: 'dana' })
    for (const name of ['dana', 'priya'])
      expect(isExcluded(person(name), exclusionOf(subject))).toBe(true)
  })
})

describe('a machine’s token, exchanged by another machine', () => {
  test.each([
    ['that says nothing of its subject', {}],
    ['that says its subject is an agent', { kind: 'agent' }],
    ['that says its subject is a service', { kind: 'service' }],
    ['that says something nobody understands', { kind: 'robot' }],
    ['issued to yet another client', { azp: 'some-app' }],
  ])('%s is no person’s: nobody is behind it', async (_, more) => {
    const subject = await subjectOf({ sub: 'pipeline', act: actors(['reporter']), ...more })
    expect(actingFor(subject)).toBeNull()
    // Which a rule that holds turns into a denial: owner-unknown.
    const owned = await subjectOf({
      sub: 'pipeline',
      act: actors(['reporter']),
      ...more,
      agent_owner: 'priya',
    })
    expect(actingFor(owned)).toEqual({ issuer: idp.issuer, subject: 'priya' })
    expect(isExcluded(person('priya'), exclusionOf(owned))).toBe(true)
  })

  test.each([
    [
      'whose subject is one of its actors',
      { sub: 'planner', act: actors(['reporter', 'planner']) },
    ],
    ['whose subject is its client', { sub: 'planner', azp: 'planner', act: actors(['reporter']) }],
  ])('%s is no person’s, although it says so', async (_, claims) => {
    expect(actingFor(await subjectOf({ ...claims, kind: 'human' }))).toBeNull()
  })
})

test('who may act is not who acts: `may_act` (RFC 8693, §4.4) makes nobody an actor', async () => {
  const subject = await subjectOf({ sub: 'dana', kind: 'human', may_act: { sub: 'planner' } })
  expect(subject).toMatchObject({ kind: 'human', chain: [] })
  expect(isExcluded(person('planner'), exclusionOf(subject))).toBe(false)
})

test('an actor of another issuer is another actor, and is excluded by its name all the same', async () => {
  const iss = 'https://partner.example.com'
  const subject = await subjectOf({ sub: 'dana', kind: 'human', act: { iss, sub: 'lena' } })
  expect(subject.chain).toEqual([{ issuer: iss, subject: 'lena' }])
  expect(isExcluded(person('lena', iss), exclusionOf(subject))).toBe(true)
})

test.each([
  ['that is cut off', { sub: 'a', act: null }],
  ['with an actor without a name', { sub: 'a', act: { iss: 'https://x.example.com' } }],
  ['with two actors at one level', { sub: 'a', act: [{ sub: 'b' }, { sub: 'c' }] }],
  ['of text', 'a'],
  ['without end', actors(Array.from({ length: 11 }, (_, i) => `a${i}`))],
  ['deeper than anybody looks', actors(Array.from({ length: 500 }, (_, i) => `a${i}`))],
])('a chain %s is refused: whoever is left out could approve', async (_, act) => {
  await expect(subjectOf({ sub: 'dana', act })).rejects.toMatchObject({ reason: 'bad-claims' })
})
