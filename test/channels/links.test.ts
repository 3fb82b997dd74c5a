import { beforeAll, describe, expect, it } from 'vitest'
import { acceptOffer, offerLink, personOfChat, readOffer } from '../../src/identity/chat-links.ts'
import { endSubject } from '../../src/identity/end-subject.ts'
import { rememberPerson } from '../../src/identity/people.ts'
import type { Person } from '../../src/core/person.ts'
import type { Store } from '../../src/store/db.ts'
import { collectEvents } from '../support/control-plane.ts'
import { openTestStore } from '../support/store.ts'

let store: Store

beforeAll(async () => {
  store = await openTestStore()
})

const issuer = 'https://idp.test'
const hour = 3_600_000

const ago = (ms: number) => new Date(Date.now() - ms)

const account = (member: string) => ({ channel: 'slack', tenant: 'T1', member, name: member })

/** Somebody who logged in at that time, and said that this account is theirs. */
async function linked(subject: string, loggedIn: Date): Promise<Person> {
  const groups = ['leads']
  const known = { issuer, subject, name: subject, email: null, groups, identifiers: [subject] }
  const person = await rememberPerson(store, known, loggedIn)
  const { recorder } = collectEvents()
  const code = await offerLink(store, account(`U-${subject}`))
  await acceptOffer({ store, recorder }, person, code)
  return person
}

const freshOf = async (subject: string) =>
  (await personOfChat(store, account(`U-${subject}`), 8 * hour))?.fresh

describe('class 16, removed approvers: an account in a chat decides for nobody', () => {
  it('whose last login is older than a session: nobody knows what groups they are in', async () => {
    await linked('new', ago(hour))
    await linked('old', ago(9 * hour))
    expect(await freshOf('new')).toBe(true)
    expect(await freshOf('old')).toBe(false)
    expect(await freshOf('nobody')).toBeUndefined()
  })

  it('who shows an old token again: what counts is when it was issued', async () => {
    const person = await linked('again', ago(9 * hour))
    await rememberPerson(store, person, ago(9 * hour))
    expect(await freshOf('again')).toBe(false)
  })

  it.each(['sessions', 'disabled'] as const)(
    'whose identity provider said so (%s), until they have logged in again',
    async (what) => {
      const name = `gone-${what}`
      const person = await linked(name, ago(hour))
      await endSubject(store, { issuers: [issuer], name, at: new Date(), what })
      expect(await freshOf(name)).toBe(false)
      await rememberPerson(store, person, new Date(Date.now() + 1_000))
      expect(await freshOf(name)).toBe(what === 'sessions')
    },
  )
})

describe('an offer', () => {
  it('is kept as a hash, ends after ten minutes, and is swept away by the next one', async () => {
    const code = await offerLink(store, account('U-1'))
    expect(await readOffer(store, code)).toEqual(account('U-1'))
    const kept = await store.query('SELECT * FROM sallyport.chat_link_offers')
    expect(JSON.stringify(kept)).not.toContain(code)
    const [row] = await store.query<{ minutes: number }>(
      `SELECT round(extract(epoch FROM expires_at - clock_timestamp()) / 60)::int AS minutes
         FROM sallyport.chat_link_offers WHERE member = 'U-1'`,
    )
    expect(row!.minutes).toBe(10)
    await offerLink(store, account('U-1'))
    await expect(readOffer(store, code)).rejects.toThrow('older than 10 minutes')
    await expect(readOffer(store, 'guessed')).rejects.toThrow('older than 10 minutes')
  })
})
