import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Vote } from '../../src/approvals/approval.ts'
import { approversIn, quorumMet } from '../../src/approvals/quorum.ts'
import type { Requirement } from '../../src/core/decision.ts'

const asks = (group: string, quorum = 1): Requirement => ({
  rule: `${group}-${quorum}`,
  from: { group },
  quorum,
  expiresMs: 60_000,
  scope: [{ kind: 'once' }],
  channels: [],
  risk: 'medium',
})

const person = (subject: string, ...groups: string[]) => ({
  issuer: 'https://idp.test',
  subject,
  groups,
})

describe('a quorum of distinct people', () => {
  it('is met by one member of the group', () => {
    expect(quorumMet([asks('leads')], [person('dana', 'leads')])).toBe(true)
  })

  it('is not met by somebody else, or by nobody', () => {
    expect(quorumMet([asks('leads')], [person('omar', 'owners')])).toBe(false)
    expect(quorumMet([asks('leads')], [])).toBe(false)
  })

  it('needs two people where two are asked for', () => {
    expect(quorumMet([asks('owners', 2)], [person('omar', 'owners')])).toBe(false)
    expect(
      quorumMet([asks('owners', 2)], [person('omar', 'owners'), person('lena', 'owners')]),
    ).toBe(true)
  })

  it('counts somebody who is in both groups once, not once per group (class 13)', () => {
    const both = person('dana', 'leads', 'owners')
    expect(quorumMet([asks('leads'), asks('owners')], [both])).toBe(false)
    expect(quorumMet([asks('leads'), asks('owners')], [both, person('omar', 'owners')])).toBe(true)
  })

  it('finds the one way to seat everybody', () => {
    const people = [person('dana', 'leads', 'owners', 'security'), person('omar', 'leads')]
    expect(quorumMet([asks('leads'), asks('owners')], people)).toBe(true)
    expect(quorumMet([asks('owners'), asks('leads')], people)).toBe(true)
  })

  it('is never met where nothing is asked for: no requirement is not an approval', () => {
    expect(quorumMet([], [person('dana', 'leads')])).toBe(false)
  })

  it('agrees with trying every assignment', () => {
    const groups = ['a', 'b', 'c']
    const requirement = fc
      .record({ group: fc.constantFrom(...groups), quorum: fc.integer({ min: 1, max: 2 }) })
      .map(({ group, quorum }) => asks(group, quorum))
    const people = fc.array(fc.subarray(groups), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.array(requirement, { minLength: 1, maxLength: 3 }),
        people,
        (asked, members) => {
          const voters = members.map((theirs, index) => person(`p${index}`, ...theirs))
          const places = asked.flatMap(({ from, quorum }) =>
            Array.from({ length: quorum }, () => ('group' in from ? from.group : '')),
          )
          const seatable = (place: number, left: typeof voters): boolean =>
            place === places.length ||
            left.some(
              (voter, index) =>
                voter.groups.includes(places[place]!) &&
                seatable(place + 1, left.toSpliced(index, 1)),
            )
          expect(quorumMet(asked, voters)).toBe(seatable(0, voters))
        },
      ),
    )
  })
})

describe('who counts', () => {
  const vote = (subject: string, ...names: string[]): Vote => ({
    ...person(subject, 'owners'),
    name: subject,
    decision: 'approve',
    reason: null,
    scope: 'once',
    channel: 'api',
    votedAt: new Date(0),
    names: [subject, ...names],
    excluded: false,
  })

  it('is whoever approved, and was not found to be behind the action since', () => {
    const votes = [vote('dana'), { ...vote('omar'), excluded: true }]
    expect(approversIn(votes).map(({ subject }) => subject)).toEqual(['dana'])
  })

  it('is a person once, under whichever of their identities they voted (class 13)', () => {
    const votes = [vote('00u1', 'sam@example.com'), vote('sam@example.com'), vote('kim')]
    expect(approversIn(votes).map(({ subject }) => subject)).toEqual(['00u1', 'kim'])
    expect(quorumMet([asks('owners', 3)], approversIn(votes))).toBe(false)
  })
})
