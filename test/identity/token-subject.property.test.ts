import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import type { Subject } from '../../src/core/subject.ts'
import { personOfPrincipal } from '../../src/identity/people.ts'
import { Refusal } from '../../src/identity/refusal.ts'
import { subjectOfToken } from '../../src/identity/token-subject.ts'

const issuer = 'https://idp.example.com'
const identity = configSchema.shape.identity.parse({
  issuers: [
    { issuer, audience: 'sallyport', claims: { groups: 'groups', owner: 'owner', kind: 'kind' } },
  ],
  login: { issuer, client_id: 'console', cli_client_id: 'cli' },
})

const name = fc.oneof(fc.constantFrom('dana', 'bot', 'cli', 'console'), fc.string())
const anything = fc.oneof(name, fc.jsonValue())
const party = fc.record({ sub: anything, iss: anything }, { requiredKeys: [] })
const { act } = fc.letrec((tie) => ({
  act: fc.oneof(
    { maxDepth: 12 },
    anything,
    fc.record({ sub: name, act: tie('act') }, { requiredKeys: ['sub'] }),
  ),
}))
const claims = fc.record(
  {
    sub: anything,
    groups: fc.oneof(fc.array(name), anything),
    owner: fc.oneof(party, anything),
    kind: fc.oneof(fc.constantFrom('human', 'user', 'agent', 'service'), anything),
    azp: anything,
    client_id: anything,
    act,
  },
  { requiredKeys: [] },
)

function read(given: Record<string, unknown>): Subject | null {
  try {
    return subjectOfToken(given, identity.issuers[0]!, identity.login)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return null
  }
}

test('whatever the claims are: refused, or a subject that leaves nobody out', () => {
  fc.assert(
    fc.property(claims, (given) => {
      const subject = read(given)
      if (!subject) return
      expect(subject.subject).toBe(given.sub)

      const actors: unknown[] = []
      for (let one: unknown = given.act; one !== undefined; one = (one as { act?: unknown }).act) {
        actors.push((one as { sub: unknown }).sub)
      }
      expect(subject.chain.map((actor) => actor.subject)).toEqual(actors)
      if (actors.length > 0) expect(subject.kind).not.toBe('human')
      if (given.owner !== undefined) expect(subject.owner).not.toBeNull()
      for (const client of [given.azp, given.client_id]) {
        if (client === undefined || client === given.sub) continue
        expect(subject.related).toContainEqual({ issuer, subject: client })
      }

      const credential = { kind: 'jwt', id: 'x', expiresAt: 1 } as const
      if (personOfPrincipal({ subject, credential }, identity)) {
        expect(actors).toEqual([])
        expect(['cli', 'console']).toContain(given.azp ?? given.client_id)
        expect(given.groups).toBeDefined()
      }
    }),
    { numRuns: 2_000 },
  )
})
