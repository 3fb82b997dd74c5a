import { beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../../src/core/person.ts'
import { linkIdentities } from '../../src/identity/aliases.ts'
import { canonicalPerson, rememberPerson, rolesOf } from '../../src/identity/people.ts'
import type { Store } from '../../src/store/db.ts'
import { openTestStore } from '../support/store.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})

const person = (issuer: string, subject: string, ...names: string[]): Person => ({
  issuer: `https://${issuer}.example.com`,
  subject,
  name: subject,
  email: null,
  groups: [],
  identifiers: [subject, ...names],
})

const link = (a: Person, b: Person) => store.tx((tx) => linkIdentities(tx, a, b))

test('roles come from groups, and only from those that are configured', () => {
  const roles = { approver: { group: 'approvers' }, auditor: { group: 'audit' } }
  const dana = { ...person('idp', 'dana'), groups: ['approvers', 'platform', 'admin'] }
  expect([...rolesOf(dana, roles)]).toEqual(['approver'])
  expect([...rolesOf(dana, {})]).toEqual([])
})

test('groups are those of the last time, names are those of all times', async () => {
  const dana = person('idp', 'dana', 'dana@old.example.com')
  await rememberPerson(store, { ...dana, groups: ['approvers'] })
  const now = await rememberPerson(store, {
    ...dana,
    groups: ['audit'],
    identifiers: ['dana', 'dana@new.example.com'],
  })
  expect(now.groups).toEqual(['audit'])
  expect(now.identifiers).toEqual(['dana', 'dana@new.example.com', 'dana@old.example.com'])
})

test('groups are those of the newest token: an older one that is shown again brings none back', async () => {
  const omar = person('idp', 'omar')
  const [morning, noon] = [new Date('2025-11-22T08:00:00Z'), new Date('2025-11-22T12:00:00Z')]
  const groups = async () => {
    const [row] = await store.query<{ groups: string[] }>(
      "SELECT groups FROM sallyport.people WHERE subject = 'omar'",
    )
    return row!.groups
  }
  await rememberPerson(store, { ...omar, groups: ['approvers'] }, morning)
  await rememberPerson(store, { ...omar, groups: [] }, noon)
  const again = { ...omar, groups: ['approvers'], identifiers: ['omar', 'omar@example.com'] }
  const { identifiers } = await rememberPerson(store, again, morning)
  expect(await groups()).toEqual([])
  // What excludes adds up all the same.
  expect(identifiers).toContain('omar@example.com')
  await rememberPerson(store, { ...omar, groups: ['audit'] })
  expect(await groups()).toEqual(['audit'])
})

describe('two identities of one person', () => {
  test('unlinked, they are two', async () => {
    const [a, b] = [person('one', 'sam'), person('two', 'sam')]
    await rememberPerson(store, a)
    await rememberPerson(store, b)
    expect(await canonicalPerson(store, a)).toBe('https://one.example.com sam')
    expect(await canonicalPerson(store, b)).toBe('https://two.example.com sam')
  })

  test('linked, they have one vote, and all names of each other', async () => {
    const [a, b] = [person('one', 'kim', 'kim@a.example.com'), person('two', 'k77', 'kk')]
    await rememberPerson(store, a)
    await rememberPerson(store, b)
    await link(a, b)
    await link(b, a)
    expect(await canonicalPerson(store, b)).toBe(await canonicalPerson(store, a))
    const names = ['k77', 'kim', 'kim@a.example.com', 'kk']
    expect((await rememberPerson(store, a)).identifiers).toEqual(names)
    expect((await rememberPerson(store, b)).identifiers).toEqual(names)
  })

  test('links join: whoever is linked to either is the same person', async () => {
    const all = ['p', 'q', 'r', 's'].map((name) => person('idp', name))
    const [p, q, r, s] = all as [Person, Person, Person, Person]
    for (const one of all) await rememberPerson(store, one)
    await link(p, q)
    await link(r, s)
    await link(q, s)
    const canonical = await Promise.all(all.map((one) => canonicalPerson(store, one)))
    expect(new Set(canonical).size).toBe(1)
    for (const one of all) {
      expect((await rememberPerson(store, one)).identifiers).toEqual(['p', 'q', 'r', 's'])
    }
  })

  test('somebody who never came cannot be linked', async () => {
    const known = person('idp', 'known')
    await rememberPerson(store, known)
    await link(known, person('idp', 'ghost'))
    expect(await canonicalPerson(store, person('idp', 'ghost'))).toBe(
      'https://idp.example.com ghost',
    )
  })
})
