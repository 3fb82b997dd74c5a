import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  chosenOf,
  grantedScope,
  longestSession,
  offeredScopes,
  type Extended,
  type Scope,
} from '../../src/approvals/scope.ts'
import type { Requirement, ScopeOption } from '../../src/core/decision.ts'

const once: ScopeOption = { kind: 'once' }
const minutes = (count: number, ...match: string[]): ScopeOption => ({
  kind: 'minutes',
  minutes: count,
  match,
})
const session = (...match: string[]): ScopeOption => ({ kind: 'session', match })

const rule = (...scope: ScopeOption[]): Requirement => ({
  rule: 'a-rule',
  from: { group: 'leads' },
  quorum: 1,
  expiresMs: 60_000,
  scope,
  channels: [],
  risk: 'medium',
})

/** What is offered to an approver of an action that came by a connection. */
const offered = (...rules: Requirement[]) => offeredScopes(rules, true)

describe('what is offered beyond one run', () => {
  it('is nothing where no rule says so, and nothing where nothing is asked for', () => {
    expect(offered(rule(once))).toEqual([])
    expect(offered()).toEqual([])
  })

  it('is the session only on a connection', () => {
    const rules = [rule(once, session('sql.shape'))]
    expect(offeredScopes(rules, false)).toEqual([])
    expect(offeredScopes(rules, true)).toEqual([
      { session: true, minutes: longestSession, match: ['sql.shape'] },
    ])
  })

  it('is minutes and session, where the rule has both', () => {
    expect(offered(rule(minutes(15), session('sql.shape')))).toEqual([
      { session: false, minutes: 15, match: [] },
      { session: true, minutes: longestSession, match: ['sql.shape'] },
    ])
  })

  it('is what each of several rules offers: minutes and session make a session with an end', () => {
    expect(
      offered(
        rule(minutes(30, 'sql.verb')),
        rule(session('sql.shape')),
        rule(minutes(20, 'sql.tables')),
      ),
    ).toEqual([{ session: true, minutes: 20, match: ['sql.shape', 'sql.tables', 'sql.verb'] }])
    expect(offered(rule(session()), rule(minutes(30, 'sql.verb')))).toEqual([
      { session: true, minutes: 30, match: [] },
    ])
    expect(offered(rule(session()), rule(once))).toEqual([])
  })

  it('is never for longer than half a day, whatever another rule grants', () => {
    const [only] = offered(rule(session()), rule(minutes(10_080)))
    expect(only).toMatchObject({ session: true, minutes: longestSession })
  })
})

describe('what the votes grant', () => {
  const both = offered(rule(minutes(30, 'sql.verb'), session('sql.shape')))

  it('is one run as soon as one of them says so, and where nobody votes', () => {
    expect(grantedScope(['once', { session: true }], both)).toBeNull()
    expect(grantedScope([{ minutes: 5 }, 'once'], both)).toBeNull()
    expect(grantedScope([], both)).toBeNull()
  })

  it('is the session with the minutes as its end, where some say this and some that', () => {
    expect(grantedScope([{ session: true }, { minutes: 10 }], both)).toEqual({
      session: true,
      minutes: 10,
      match: ['sql.shape', 'sql.verb'],
    })
  })

  it('is nothing that is not offered', () => {
    expect(grantedScope([{ minutes: 31 }], both)).toBeNull()
    expect(grantedScope([{ session: true }], offered(rule(minutes(5))))).toBeNull()
  })
})

const paths = ['sql.shape', 'sql.verb', 'sql.tables']
const match = fc.uniqueArray(fc.constantFrom(...paths))
const option: fc.Arbitrary<ScopeOption> = fc.oneof(
  fc.constant(once),
  fc.tuple(fc.integer({ min: 1, max: 10_080 }), match).map(([n, m]) => minutes(n, ...m)),
  match.map((m) => session(...m)),
)
const rules = fc
  .array(fc.array(option, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map((all) => all.map((options) => rule(...options)))
const scopes = fc.array(
  fc.oneof(
    fc.constant<Scope>('once'),
    fc.integer({ min: 1, max: 10_080 }).map<Scope>((n) => ({ minutes: n })),
    fc.constant<Scope>({ session: true }),
  ),
  { maxLength: 3 },
)

/** Whether whatever `inner` covers is covered by `outer` too: on the same connection, in the same time, with as much the same. */
function contains(outer: Extended, inner: Extended): boolean {
  if (outer.session && !inner.session) return false
  if (inner.minutes > outer.minutes) return false
  if (inner.match.length === 0) return true
  return outer.match.length > 0 && outer.match.every((path) => inner.match.includes(path))
}

const inRule = ({ scope }: Requirement): Extended[] =>
  scope.flatMap((one) => {
    if (one.kind === 'once') return []
    const isSession = one.kind === 'session'
    const end = isSession ? longestSession : one.minutes
    return [{ session: isSession, minutes: end, match: one.match }]
  })

describe('the narrowest scope wins', () => {
  it('what is offered is within what each of the rules offers, whatever they are', () => {
    fc.assert(
      fc.property(rules, fc.boolean(), (all, connected) => {
        for (const offer of offeredScopes(all, connected)) {
          if (!connected) expect(offer.session).toBe(false)
          for (const one of all) {
            expect(inRule(one).some((outer) => contains(outer, offer))).toBe(true)
          }
        }
      }),
    )
  })

  it('what is granted is within what each of the voters chose, whatever they are', () => {
    fc.assert(
      fc.property(rules, scopes, (all, votes) => {
        const offers = offeredScopes(all, true)
        const granted = grantedScope(votes, offers)
        if (!granted) return
        for (const scope of votes) expect(contains(chosenOf(scope, offers)!, granted)).toBe(true)
      }),
    )
  })
})
