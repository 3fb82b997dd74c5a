import type { Config } from '../config/schema.ts'
import { foldName, nameClaims, type Person, type Role } from '../core/person.ts'
import type { Party, Principal, Subject } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'
import { claim } from './claims.ts'
import { clientsOf, isOurClient } from './token-subject.ts'

/** The person that the claims of an ID token, or of a token of our own clients, are about. */
export function personOfClaims(
  { issuer, subject }: Party,
  claims: Readonly<Record<string, unknown>>,
  groups: readonly string[],
): Person {
  const text = (name: string) => {
    const value = claim(claims, name)
    return typeof value === 'string' && value !== '' ? value : null
  }
  const names = nameClaims.map(text).filter((name) => name !== null)
  return {
    issuer,
    subject,
    name: text('name') ?? text('preferred_username') ?? subject,
    email: text('email'),
    groups,
    identifiers: [...new Set([subject, ...names].map(foldName))],
  }
}

/**
 * The person who presents a token of their own: one that the console or the CLI obtained, with
 * nobody acting in between, and that says which groups they are in. `null` otherwise, because a
 * person's token in the hands of another program is not that person.
 */
export function personOfPrincipal(
  { subject, credential }: Principal,
  identity: Config['identity'],
): Person | null {
  const { login, issuers } = identity
  const names = issuers.find(({ issuer }) => issuer === subject.issuer)?.claims
  const own =
    credential.kind === 'jwt' &&
    subject.kind === 'human' &&
    subject.chain.length === 0 &&
    login?.issuer === subject.issuer &&
    isOurClient(clientsOf(subject.claims), login)
  if (!own || !names || claim(subject.claims, names.groups) === undefined) return null
  return personOfClaims(subject, subject.claims, subject.groups)
}

/** A person as the subject of an audit event. */
export function subjectOfPerson({ issuer, subject, groups }: Person): Subject {
  return {
    issuer,
    subject,
    kind: 'human',
    groups,
    owner: null,
    chain: [],
    related: [],
    claims: {},
  }
}

/** The roles that the configuration gives to groups of this person. */
export function rolesOf(person: Person, roles: Config['identity']['roles']): ReadonlySet<Role> {
  const all: Role[] = ['approver', 'auditor', 'admin']
  return new Set(
    all.filter((role) => {
      const group = roles[role]?.group
      return group !== undefined && person.groups.includes(group)
    }),
  )
}

/**
 * Notes a person who has come, and resolves to them with every name that they ever had. Their
 * groups are those of the newest token or login by its time of issue (`toldAt`), so that an older
 * token brings no group back. Names only accumulate, because they only exclude.
 */
export async function rememberPerson(
  db: Queryable,
  person: Person,
  toldAt = new Date(),
): Promise<Person> {
  const { issuer, subject, name, email, groups, identifiers } = person
  const [row] = await db.query<{ identifiers: string[] }>(
    `INSERT INTO sallyport.people AS known (issuer, subject, name, email, groups, identifiers, groups_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (issuer, subject) DO UPDATE SET
       name = excluded.name, email = excluded.email,
       groups = CASE WHEN excluded.groups_at >= known.groups_at THEN excluded.groups ELSE known.groups END,
       groups_at = greatest(known.groups_at, excluded.groups_at),
       identifiers = ARRAY(SELECT DISTINCT unnest(known.identifiers || excluded.identifiers) ORDER BY 1),
       seen_at = clock_timestamp()
     RETURNING identifiers`,
    [issuer, subject, name, email, groups, identifiers, toldAt],
  )
  return { ...person, identifiers: row!.identifiers }
}

/** A string for the person behind an identity, the same for all identities of one person. */
export async function canonicalPerson(db: Queryable, { issuer, subject }: Party): Promise<string> {
  const [row] = await db.query<{ person: string }>(
    'SELECT sallyport.canonical_person($1, $2) AS person',
    [issuer, subject],
  )
  return row!.person
}
