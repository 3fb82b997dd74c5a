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

/** What the console sends once somebody has followed the link and typed what the chat shows. */
async function offered(to: ReturnType<typeof account>): Promise<string> {
  const { link, shown } = await offerLink(store, to)
  return `${link}.${shown}`
}

/** Somebody who logged in at that time, and said that this account is theirs. */
async function linked(subject: string, loggedIn: Date): Promise<Person> {
  const groups = ['leads']
  const known = { issuer, subject, name: subject, email: null, groups, identifiers: [subject] }
  const person = await rememberPerson(store, known, loggedIn)
  const { recorder } = collectEvents()
  const code = await offered(account(`U-${subject}`))
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
    const code = await offered(account('U-1'))
    expect(await readOffer(store, code)).toEqual(account('U-1'))
    const kept = await store.query('SELECT * FROM sallyport.chat_link_offers')
    for (const part of code.split('.')) expect(JSON.stringify(kept)).not.toContain(part)
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

describe('class 13, link phishing: somebody without an account who is sent the link of an attacker’s', () => {
  it('makes it theirs by no click alone: what the attacker’s chat shows has to be typed', async () => {
    const victim = await rememberPerson(store, {
      ...{ issuer, subject: 'phished', name: 'phished', email: null },
      ...{ groups: ['leads'], identifiers: ['phished'] },
    })
    const { link, shown } = await offerLink(store, account('U-phisher'))
    const desk = { store, recorder: collectEvents().recorder }
    for (const code of [link, `${link}.`, `${link}.ABC-234`, `.${shown}`, shown]) {
      await expect(readOffer(store, code)).rejects.toMatchObject({ code: 'not-found' })
      await expect(acceptOffer(desk, victim, code)).rejects.toMatchObject({ code: 'not-found' })
    }
    expect(await personOfChat(store, account('U-phisher'), 8 * hour)).toBeNull()
    // However it is typed.
    expect(await readOffer(store, `${link}.${shown.toLowerCase().replace('-', ' ')}`)).toEqual(
      account('U-phisher'),
    )
  })
})

describe('class 13, link stealing: somebody who agrees to an account that an attacker offers them', () => {
  const accept = async (person: Person, code: string) =>
    acceptOffer({ store, recorder: collectEvents().recorder }, person, code)

  it('gets no second one in that workspace, and the attacker decides nothing in their name', async () => {
    const victim = await linked('victim', ago(hour))
    const stolen = accept(victim, await offered(account('U-attacker')))
    await expect(stolen).rejects.toMatchObject({ code: 'forbidden' })
    expect(await personOfChat(store, account('U-attacker'), 8 * hour)).toBeNull()
    expect(await freshOf('victim')).toBe(true)
  })

  it('nor under another of their identities, nor by two links at once', async () => {
    await linked('known@example.com', ago(hour))
    const identifiers = ['other', 'known@example.com']
    const other = { issuer, subject: 'other', name: 'other', email: null, groups: [], identifiers }
    const again = accept(await rememberPerson(store, other), await offered(account('U-attacker-2')))
    await expect(again).rejects.toMatchObject({ code: 'forbidden' })

    const twice = { ...other, subject: 'twice', identifiers: ['twice'] }
    const person = await rememberPerson(store, twice)
    const codes = [await offered(account('U-mine')), await offered(account('U-theirs'))]
    const both = await Promise.allSettled(codes.map((code) => accept(person, code)))
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('can have one in another workspace, and the same one again', async () => {
    const person = await linked('two-places', ago(hour))
    await accept(person, await offered(account('U-two-places')))
    const elsewhere = { ...account('U-two-places'), tenant: 'T2' }
    await accept(person, await offered(elsewhere))
    expect((await personOfChat(store, elsewhere, 8 * hour))?.person.subject).toBe('two-places')
  })
})
