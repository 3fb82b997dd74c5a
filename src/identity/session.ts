import { randomBytes } from 'node:crypto'
import type { Person } from '../core/person.ts'
import type { Queryable, Store } from '../store/db.ts'
import { open, seal, sessionHash } from './session-secret.ts'

/** A login to the console. */
export interface Session {
  /** Identifies the session, but is of no use for taking it over. */
  readonly id: string
  readonly person: Person
  readonly expiresAt: Date
}

interface SessionRow {
  hash: Buffer
  issuer: string
  subject: string
  name: string
  email: string | null
  groups: string[]
  identifiers: string[]
  id_token: Buffer
  expires_at: Date
}

/**
 * Begins a session that ends after `lifetime` milliseconds, however active it is: the groups that
 * the person had at login count for no longer than that. Returns the value for the cookie. It is
 * always a new random one and never what the browser had before, so nobody can prepare a session
 * for somebody else (session fixation).
 */
export async function beginSession(
  tx: Queryable,
  person: Person,
  { idToken, lifetime }: { idToken: string; lifetime: number },
): Promise<string> {
  const value = randomBytes(32).toString('base64url')
  // Each login deletes the sessions that are over.
  await tx.query('DELETE FROM sallyport.sessions WHERE expires_at < clock_timestamp()')
  await tx.query(
    `INSERT INTO sallyport.sessions
       (hash, issuer, subject, name, email, groups, identifiers, id_token, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + $9 * interval '1 millisecond')`,
    [
      sessionHash(value),
      person.issuer,
      person.subject,
      person.name,
      person.email,
      person.groups,
      person.identifiers,
      seal(value, idToken),
      lifetime,
    ],
  )
  return value
}

/**
 * The session of this cookie, or `null` when it is over, was ended by the identity provider, or
 * never existed.
 */
export async function findSession(store: Store, value: string): Promise<Session | null> {
  const [row] = await store.query<SessionRow>(
    `SELECT hash, issuer, subject, name, email, groups, identifiers, expires_at
       FROM sallyport.sessions s WHERE hash = $1 AND expires_at > clock_timestamp()
        AND NOT EXISTS (
          SELECT FROM sallyport.ended_subjects e WHERE e.issuer = s.issuer AND e.name = ANY (s.identifiers)
             AND (e.disabled OR e.ended_at >= s.created_at))`,
    [sessionHash(value)],
  )
  if (!row) return null
  const { hash, issuer, subject, name, email, groups, identifiers, expires_at } = row
  return {
    id: hash.toString('base64url'),
    person: { issuer, subject, name, email, groups, identifiers },
    expiresAt: expires_at,
  }
}

/**
 * Ends the session of this cookie for good. Returns its ID token, or `null` when there is no such
 * session.
 */
export async function endSession(tx: Queryable, value: string): Promise<string | null> {
  const [row] = await tx.query<Pick<SessionRow, 'id_token'>>(
    'DELETE FROM sallyport.sessions WHERE hash = $1 RETURNING id_token',
    [sessionHash(value)],
  )
  return row ? open(value, row.id_token) : null
}
