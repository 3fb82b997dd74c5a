import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { Refusal } from '../../src/identity/refusal.ts'
import { personOfPrincipal } from '../../src/identity/people.ts'
import { subjectOfToken } from '../../src/identity/token-subject.ts'
import type { Subject } from '../../src/core/subject.ts'

const issuer = 'https://idp.example.com'
const identity = configSchema.shape.identity.parse({
  issuers: [
    {
      issuer,
      audience: 'sallyport',
      claims: { groups: 'groups', owner: 'agent_owner', kind: 'kind' },
    },
    { issuer: 'https://other.example.com', audience: 'sallyport' },
  ],
  login: { issuer, client_id: 'console', cli_client_id: 'cli' },
})

function subject(claims: Record<string, unknown>, at = 0): Subject {
  return subjectOfToken({ sub: 'bot', ...claims }, identity.issuers[at]!, identity.login)
}

function refusedFor(claims: Record<string, unknown>): string {
  try {
    subject(claims)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.message
  }
}

describe('kind', () => {
  test('a token is an agent unless something says otherwise', () => {
    expect(subject({}).kind).toBe('agent')
    expect(subject({ kind: 'whatever' }).kind).toBe('agent')
    expect(subject({ kind: 'service' }).kind).toBe('service')
    expect(subject({ kind: 'human' }).kind).toBe('human')
    expect(subject({ kind: 'ai_agent' }).kind).toBe('agent')
  })

  test('a person is who comes with a token that the console or the CLI obtained', () => {
    expect(subject({ sub: 'dana', azp: 'cli' }).kind).toBe('human')
    expect(subject({ sub: 'dana', client_id: 'console' }).kind).toBe('human')
    expect(subject({ sub: 'dana', cid: 'cli' }).kind).toBe('human')
  })

  test('the same client name at another issuer means nothing', () => {
    expect(subject({ sub: 'dana', azp: 'cli' }, 1).kind).toBe('agent')
  })

  test('a token in which two clients are named, one of them not ours, is an agent', () => {
    expect(subject({ sub: 'dana', azp: 'cli', client_id: 'chat-app' }).kind).toBe('agent')
  })

  test('with an actor in it, it is never human, whatever it claims', () => {
    expect(subject({ sub: 'dana', azp: 'cli', act: { sub: 'bot' } }).kind).toBe('agent')
    expect(subject({ sub: 'dana', kind: 'human', act: { sub: 'bot' } }).kind).toBe('agent')
    expect(subject({ sub: 'dana', kind: 'service', act: { sub: 'bot' } }).kind).toBe('service')
  })

  test("a client's own token is never human, whatever it claims", () => {
    expect(subject({ sub: 'cli', client_id: 'cli' }).kind).toBe('agent')
    expect(subject({ sub: 'bot', client_id: 'bot', kind: 'human' }).kind).toBe('agent')
  })
})

describe('groups', () => {
  test('a list, a single one, none', () => {
    expect(subject({ groups: ['agents', 'eu'] }).groups).toEqual(['agents', 'eu'])
    expect(subject({ groups: 'agents' }).groups).toEqual(['agents'])
    expect(subject({}).groups).toEqual([])
  })

  test('groups that cannot be read could have matched a rule that denies: refused', () => {
    expect(refusedFor({ groups: { a: 1 } })).toMatch(/groups/)
    expect(refusedFor({ groups: ['agents', 7] })).toMatch(/groups/)
    expect(refusedFor({ groups: null })).toMatch(/groups/)
  })

  test('groups that were left out because there are too many are not none: refused', () => {
    expect(refusedFor({ _claim_names: { groups: 'src1' } })).toMatch(/groups, left out/)
    expect(refusedFor({ hasgroups: true })).toMatch(/groups, left out/)
  })
})

describe('owner', () => {
  test('a name is a person at the same issuer', () => {
    expect(subject({ agent_owner: 'priya' }).owner).toEqual({ issuer, subject: 'priya' })
  })

  test('an object can name another issuer', () => {
    const agent_owner = { iss: 'https://hr.example.com', sub: '42' }
    expect(subject({ agent_owner }).owner).toEqual({
      issuer: 'https://hr.example.com',
      subject: '42',
    })
  })

  test('absent is unknown', () => {
    expect(subject({}).owner).toBeNull()
    expect(subject({ agent_owner: 'priya' }, 1).owner).toBeNull()
  })

  test('an owner that cannot be read is refused, not left out', () => {
    for (const agent_owner of ['', null, 7, ['priya'], {}, { sub: 7 }, { iss: 1, sub: 'a' }]) {
      expect(refusedFor({ agent_owner })).toMatch(/agent_owner/)
    }
  })
})

describe('delegation (RFC 8693)', () => {
  test('the whole chain, the current actor first', () => {
    const act = { sub: 'planner', act: { iss: 'https://other.example.com', sub: 'worker' } }
    expect(subject({ sub: 'dana', act }).chain).toEqual([
      { issuer, subject: 'planner' },
      { issuer: 'https://other.example.com', subject: 'worker' },
    ])
  })

  test('a chain that cannot be read whole is refused: whoever is left out could approve', () => {
    for (const act of [
      null,
      'bot',
      [],
      {},
      { sub: '' },
      { sub: 'a', act: 7 },
      { sub: 'a', iss: 1 },
    ])
      expect(refusedFor({ act })).toMatch(/act/)
  })

  test('ten deep, and no deeper', () => {
    const deep = (depth: number): unknown =>
      depth === 1 ? { sub: 'a1' } : { sub: `a${depth}`, act: deep(depth - 1) }
    expect(subject({ act: deep(10) }).chain).toHaveLength(10)
    expect(refusedFor({ act: deep(11) })).toMatch(/more than 10/)
  })

  test('the client that the token was issued to stands behind it', () => {
    expect(subject({ azp: 'app', client_id: 'app2' }).related).toEqual([
      { issuer, subject: 'app' },
      { issuer, subject: 'app2' },
    ])
    expect(subject({ sub: 'app', azp: 'app' }).related).toEqual([{ issuer, subject: 'app' }])
  })
})

describe('what could not be recorded is refused, or it could be tried without a trace', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 'x' : { in: deep(levels - 1) })

  test.each([
    ['NUL', 'a\0b'],
    ['half of a surrogate pair', '\ud83d'],
    ['a number beyond any double', Infinity],
    ['nesting without end', deep(200)],
    ['one of them inside of another', { teams: [{ name: 'a\0b' }] }],
    ['one of them as a name', { 'a\0b': 1 }],
  ])('%s', (_, team) => {
    expect(refusedFor({ team })).toMatch(/team/)
  })

  test('and whatever an issuer really says is not', () => {
    const claims = {
      address: { lines: ['Gr\u00fc\u00dfe \ud83d\ude00'] },
      score: -1.5e300,
      none: null,
    }
    expect(refusedFor(claims)).toBe('accepted')
  })
})

test('an issuer with a blank in it could make two parties look like one: refused (class 13)', () => {
  const blank = `${issuer} x`
  expect(refusedFor({ sub: 'x y', act: { iss: blank, sub: 'y' } })).toMatch(/act\.iss/)
  expect(refusedFor({ agent_owner: { iss: blank, sub: 'y' } })).toMatch(/agent_owner\.iss/)
})

test('claims about the token are no claims about its subject: a fresh token is the same subject', () => {
  const first = subject({ jti: '1', exp: 1, iat: 1, team: 'blue' })
  const second = subject({ jti: '2', exp: 2, iat: 2, team: 'blue' })
  expect(first).toEqual(second)
  expect(first.claims['team']).toBe('blue')
})

test('a claim called like something that every object has is absent unless it is there', () => {
  const odd = configSchema.shape.identity.parse({
    issuers: [{ issuer, audience: 'a', claims: { groups: 'toString', owner: 'constructor' } }],
  })
  const { groups, owner } = subjectOfToken({ sub: 'bot' }, odd.issuers[0]!, undefined)
  expect({ groups, owner }).toEqual({ groups: [], owner: null })
})

describe('a person at the control plane', () => {
  const person = (claims: Record<string, unknown>, at = 0) =>
    personOfPrincipal(
      {
        subject: subject({ sub: 'dana', groups: ['approvers'], ...claims }, at),
        credential: { kind: 'jwt', id: 'x', expiresAt: 1 },
      },
      identity,
    )

  test('comes with a token of the console or the CLI', () => {
    expect(person({ azp: 'cli', name: 'Dana', email: 'dana@example.com' })).toEqual({
      issuer,
      subject: 'dana',
      name: 'Dana',
      email: 'dana@example.com',
      groups: ['approvers'],
      identifiers: ['dana', 'dana@example.com'],
    })
  })

  test('is not the program that holds their token, nor an agent that acts for them', () => {
    expect(person({ azp: 'chat-app', kind: 'human' })).toBeNull()
    expect(person({ azp: 'cli', act: { sub: 'bot' } })).toBeNull()
    expect(person({ kind: 'human' })).toBeNull()
    expect(person({ azp: 'cli', kind: 'human' }, 1)).toBeNull()
  })

  test('has to bring their groups: without them nobody knows which agents they own', () => {
    expect(person({ azp: 'cli', groups: [] })).not.toBeNull()
    expect(person({ azp: 'cli', groups: undefined })).toBeNull()
  })
})
