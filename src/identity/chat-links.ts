import { hash, randomBytes, randomInt } from 'node:crypto'
import { Problem } from '../core/errors.ts'
import type { EventInput } from '../core/event.ts'
import type { Person } from '../core/person.ts'
import { sameParty, type Party } from '../core/subject.ts'
import type { Queryable, Store } from '../store/db.ts'
import { subjectOfPerson } from './people.ts'
import type { Recorder } from './recorder.ts'

/**
 * Somebody in a chat, vouched for by the chat itself: (Slack team, user), (Teams tenant, object
 * id). Never an e-mail address, which is no identity.
 */
export interface ChatAccount {
  /** `slack`, `teams` */
  readonly channel: string
  readonly tenant: string
  readonly member: string
}

export interface NamedChatAccount extends ChatAccount {
  /** Their name in the chat, for display only. */
  readonly name: string
}

export interface ChatLink extends NamedChatAccount {
  readonly linkedAt: Date
}

export interface LinkDesk {
  readonly store: Store
  readonly recorder: Recorder
}

/** Minutes for which an offer is good. */
export const offerMinutes = 10

/**
 * What an account gets to prove whom it belongs to. It has two parts, so that following a link
 * which somebody has sent is never enough.
 */
export interface LinkOffer {
  /** 256 random bits, in a link. */
  readonly link: string
  /**
   * A code that is shown in the chat beside the link, and has to be typed on the page that the link
   * opens.
   */
  readonly shown: string
}

/** Without characters that look alike. */
const characters = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

/**
 * Makes an offer for an account, good for ten minutes and one use. Ends an earlier offer. Whoever
 * opens it has to log in, type the code that the chat shows, see the account, and agree. Having the
 * link alone links nobody.
 */
export async function offerLink(store: Store, account: NamedChatAccount): Promise<LinkOffer> {
  const link = randomBytes(32).toString('base64url')
  const three = () => Array.from({ length: 3 }, () => characters[randomInt(characters.length)])
  const shown = `${three().join('')}-${three().join('')}`
  const { channel, tenant, member, name } = account
  await store.tx(async (tx) => {
    await tx.query(
      `DELETE FROM sallyport.chat_link_offers
        WHERE (channel, tenant, member) = ($1, $2, $3) OR expires_at <= clock_timestamp()`,
      [channel, tenant, member],
    )
    await tx.query(
      `INSERT INTO sallyport.chat_link_offers (hash, channel, tenant, member, name, expires_at)
       VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 minute')`,
      [hashOf(`${link}.${shown}`), channel, tenant, member, name, offerMinutes],
    )
  })
  return { link, shown }
}

/**
 * The account that an offer is for. `code`: the link, a dot, and the shown code. Rejects with
 * `not-found` when it has been used, is too old, or never existed.
 */
export async function readOffer(db: Queryable, code: string): Promise<NamedChatAccount> {
  const [offer] = await db.query<NamedChatAccount>(
    `SELECT channel, tenant, member, name FROM sallyport.chat_link_offers
      WHERE hash = $1 AND expires_at > clock_timestamp()`,
    [hashOf(code)],
  )
  return offer ?? gone()
}

/**
 * Links the account to this person. Rejects with `not-found` for an offer that is no longer good,
 * and with `forbidden` when the account is already somebody else's, or this person has another one
 * in the same place.
 */
export async function acceptOffer(
  { store, recorder }: LinkDesk,
  person: Person,
  code: string,
): Promise<NamedChatAccount> {
  const account = await store.tx(async (tx) => {
    const [offer] = await tx.query<NamedChatAccount>(
      `DELETE FROM sallyport.chat_link_offers WHERE hash = $1 AND expires_at > clock_timestamp()
       RETURNING channel, tenant, member, name`,
      [hashOf(code)],
    )
    const { channel, tenant, member, name } = offer ?? gone()
    await refuseSecond(tx, person, { channel, tenant, member })
    const added = await tx.query(
      `INSERT INTO sallyport.chat_links (channel, tenant, member, name, issuer, subject)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING member`,
      [channel, tenant, member, name, person.issuer, person.subject],
    )
    if (added.length === 0) {
      const linked = await partyOf(tx, { channel, tenant, member })
      if (linked && sameParty(linked, person)) return { channel, tenant, member, name }
      throw new Problem(
        'forbidden',
        'This account is linked to somebody else. They have to take that back first.',
      )
    }
    const linked = { channel, tenant, member, name }
    await recorder.write(tx, linkEvent('identity.linked', person, linked))
    return linked
  })
  recorder.linkWritten()
  return account
}

/** Ends a link of this person. Rejects with `not-found` when it is not theirs. */
export async function unlink(
  { store, recorder }: LinkDesk,
  person: Person,
  { channel, tenant, member }: ChatAccount,
): Promise<void> {
  await store.tx(async (tx) => {
    const [link] = await tx.query<NamedChatAccount>(
      `DELETE FROM sallyport.chat_links
        WHERE (channel, tenant, member, issuer, subject) = ($1, $2, $3, $4, $5)
       RETURNING channel, tenant, member, name`,
      [channel, tenant, member, person.issuer, person.subject],
    )
    if (!link) throw new Problem('not-found', 'No such account is linked to you.')
    await recorder.write(tx, linkEvent('identity.unlinked', person, link))
  })
  recorder.linkWritten()
}

export function linksOf(db: Queryable, { issuer, subject }: Party): Promise<ChatLink[]> {
  return db.query<ChatLink>(
    `SELECT channel, tenant, member, name, linked_at AS "linkedAt" FROM sallyport.chat_links
      WHERE (issuer, subject) = ($1, $2) ORDER BY linked_at`,
    [issuer, subject],
  )
}

/**
 * The person behind an account, or `null`. `fresh`: whether they have logged in within the last
 * `maxAgeMs` milliseconds, and their identity provider has ended nothing since. Somebody may have
 * been removed from groups that were learnt earlier, so nobody decides by those.
 */
export async function personOfChat(
  db: Queryable,
  { channel, tenant, member }: ChatAccount,
  maxAgeMs: number,
): Promise<{ readonly person: Person; readonly fresh: boolean } | null> {
  const [row] = await db.query<Person & { fresh: boolean }>(
    `SELECT p.issuer, p.subject, p.name, p.email, p.groups, p.identifiers,
            p.groups_at > clock_timestamp() - $4 * interval '1 ms' AND NOT EXISTS (
              SELECT FROM sallyport.ended_subjects e WHERE e.issuer = p.issuer AND e.name = ANY (p.identifiers)
                 AND (e.disabled OR e.ended_at >= p.groups_at)) AS fresh
       FROM sallyport.chat_links l JOIN sallyport.people p USING (issuer, subject)
      WHERE (l.channel, l.tenant, l.member) = ($1, $2, $3)`,
    [channel, tenant, member, maxAgeMs],
  )
  if (!row) return null
  const { fresh, ...person } = row
  return { person, fresh }
}

/**
 * Closed: nobody has two accounts in one workspace. Somebody who seems to may be tricked into
 * linking another person's account, which would then decide in their name. The existing link has to
 * end first.
 */
async function refuseSecond(
  tx: Queryable,
  { issuer, subject }: Party,
  { channel, tenant, member }: ChatAccount,
): Promise<void> {
  // One link at a time, because two at once would not see each other.
  await tx.query('SELECT FROM sallyport.people WHERE (issuer, subject) = ($1, $2) FOR UPDATE', [
    issuer,
    subject,
  ])
  const others = await tx.query(
    `SELECT FROM sallyport.chat_links l JOIN sallyport.same_person($1, $2) p USING (issuer, subject)
      WHERE (l.channel, l.tenant) = ($3, $4) AND l.member <> $5`,
    [issuer, subject, channel, tenant, member],
  )
  if (others.length === 0) return
  throw new Problem(
    'forbidden',
    'You have another account there already. If that is no longer yours, unlink it first. If somebody sent you this link, they want to decide in your name: tell whoever administers this.',
  )
}

async function partyOf(
  tx: Queryable,
  { channel, tenant, member }: ChatAccount,
): Promise<Party | null> {
  const [row] = await tx.query<Party>(
    `SELECT issuer, subject FROM sallyport.chat_links WHERE (channel, tenant, member) = ($1, $2, $3)`,
    [channel, tenant, member],
  )
  return row ?? null
}

function gone(): never {
  throw new Problem(
    'not-found',
    `This is not the code that the chat shows beside the link, or the link has been used, or is older than ${offerMinutes} minutes. Press the button in the chat again for a new one.`,
  )
}

function linkEvent(
  type: 'identity.linked' | 'identity.unlinked',
  person: Person,
  { channel, tenant, member, name }: NamedChatAccount,
): EventInput {
  return { type, subject: subjectOfPerson(person), details: { channel, tenant, member, name } }
}

/** Hashes a code, ignoring how people type it. */
function hashOf(code: string): Buffer {
  const [link, shown = ''] = code.split('.', 2)
  const typed = shown.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
  return hash('sha256', `${link}.${typed}`, 'buffer')
}
