import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exclusionOf, hasKnownOwner, isExcluded } from '../../src/approvals/exclusion.ts'
import { foldName, type Person } from '../../src/core/person.ts'
import type { Party, Subject } from '../../src/core/subject.ts'

const issuer = 'https://idp.test'

function agent(more: Partial<Subject> = {}): Subject {
  return {
    issuer,
    subject: 'refund-bot',
    kind: 'agent',
    groups: ['agents'],
    owner: { issuer, subject: 'priya' },
    chain: [],
    related: [],
    claims: {},
    ...more,
  }
}

function person(subject: string, more: Partial<Person> = {}): Person {
  return {
    issuer,
    subject,
    name: subject,
    email: null,
    groups: [],
    identifiers: [subject],
    ...more,
  }
}

describe('nobody approves their own action (class 13)', () => {
  it('excludes the owner of the agent', () => {
    expect(isExcluded(person('priya'), exclusionOf(agent()))).toBe(true)
    expect(isExcluded(person('dana'), exclusionOf(agent()))).toBe(false)
  })

  it('excludes the subject itself, and every actor in its chain', () => {
    const chain = [
      { issuer, subject: 'omar' },
      { issuer, subject: 'lena' },
    ]
    const exclusion = exclusionOf(agent({ subject: 'dana', chain }))
    for (const name of ['dana', 'omar', 'lena']) {
      expect(isExcluded(person(name), exclusion)).toBe(true)
    }
  })

  it('excludes the creator of the key, and the authorized party', () => {
    const exclusion = exclusionOf(agent({ related: [{ issuer, subject: 'omar' }] }))
    expect(isExcluded(person('omar'), exclusion)).toBe(true)
  })

  it('excludes every member of a group that owns the agent', () => {
    const exclusion = exclusionOf(agent({ owner: { group: 'growth' } }))
    expect(isExcluded(person('dana', { groups: ['growth'] }), exclusion)).toBe(true)
    expect(isExcluded(person('dana', { groups: ['support'] }), exclusion)).toBe(false)
  })

  it('excludes the owner when the owner claim is an e-mail address, in any case', () => {
    const exclusion = exclusionOf(agent({ owner: { issuer, subject: 'Priya@Example.com' } }))
    const priya = person('00u1', { identifiers: ['00u1', 'priya@example.com'] })
    expect(isExcluded(priya, exclusion)).toBe(true)
  })

  it('excludes a person whose own token came from another issuer under another sub', () => {
    const self = agent({
      kind: 'human',
      issuer: 'https://other.test',
      subject: 'pairwise-93',
      owner: null,
      claims: { email: 'dana@example.com' },
    })
    const dana = person('00u2', { identifiers: ['00u2', 'dana@example.com'] })
    expect(isExcluded(dana, exclusionOf(self))).toBe(true)
  })

  it('excludes a person by what their directory calls them, where `sub` is another in each token', () => {
    for (const claim of ['oid', 'uid', 'unique_name', 'upn']) {
      const delegated = agent({ subject: 'pairwise-93', owner: null, claims: { [claim]: 'a1b2' } })
      const dana = person('pairwise-17', { identifiers: ['pairwise-17', 'a1b2'] })
      expect(isExcluded(dana, exclusionOf(delegated)), claim).toBe(true)
    }
  })

  it('takes names that only differ in case or in their Unicode form for one', () => {
    const spellings = ['jos\u00e9', 'jose\u0301', 'JOS\u00c9', '\uff4aos\u00e9']
    expect(new Set(spellings.map(foldName)).size).toBe(1)
    for (const owner of spellings) {
      const exclusion = exclusionOf(agent({ owner: { issuer, subject: owner } }))
      for (const voter of spellings) expect(isExcluded(person(voter), exclusion)).toBe(true)
    }
  })

  it('holds for random chains and aliases', () => {
    const name = fc.constantFrom('dana', 'omar', 'lena', 'priya', 'noor', 'kai')
    const party = name.map((subject): Party => ({ issuer, subject }))
    fc.assert(
      fc.property(
        name,
        party,
        fc.array(party, { maxLength: 4 }),
        fc.array(party, { maxLength: 2 }),
        name,
        fc.array(name, { maxLength: 2 }),
        (subject, owner, chain, related, voter, aliases) => {
          const exclusion = exclusionOf(agent({ subject, owner, chain, related }))
          const behind = [subject, owner.subject, ...[...chain, ...related].map((p) => p.subject)]
          const known = [voter, ...aliases]
          expect(isExcluded(person(voter, { identifiers: known }), exclusion)).toBe(
            known.some((one) => behind.includes(one)),
          )
        },
      ),
    )
  })
})

describe('whether a human being is known behind a subject', () => {
  it('is, with an owner, with a delegation chain, or when it is a person', () => {
    expect(hasKnownOwner(agent())).toBe(true)
    expect(hasKnownOwner(agent({ owner: null, chain: [{ issuer, subject: 'bot' }] }))).toBe(true)
    expect(hasKnownOwner(agent({ owner: null, kind: 'human' }))).toBe(true)
  })

  it('is not, for a machine that delegates to itself: that makes no person of it (class 13)', () => {
    const itself = { issuer, subject: 'refund-bot' }
    const other = { issuer, subject: 'planner' }
    for (const chain of [[itself], [other, itself]]) {
      expect(hasKnownOwner(agent({ owner: null, chain }))).toBe(false)
      expect(hasKnownOwner(agent({ chain }))).toBe(true)
    }
    expect(hasKnownOwner(agent({ owner: null, chain: [other], related: [itself] }))).toBe(false)
  })

  it('is not, for an agent that nobody answers for', () => {
    expect(hasKnownOwner(agent({ owner: null }))).toBe(false)
  })
})
