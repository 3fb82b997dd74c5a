import type { FastifyRequest } from 'fastify'
import type { Config } from '../config/schema.ts'
import { Problem } from '../core/errors.ts'
import type { Person, Role } from '../core/person.ts'
import type { Subject } from '../core/subject.ts'
import { keyIssuer, type KeyScope } from '../identity/agent-key.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import { personOfPrincipal, rememberPerson, rolesOf, subjectOfPerson } from '../identity/people.ts'
import { Recent } from '../identity/recent.ts'
import { Refusal } from '../identity/refusal.ts'
import { findSession, type Session } from '../identity/session.ts'
import type { Store } from '../store/db.ts'
import type { Cookies } from './cookies.ts'

/** Who calls the control plane. Only people vote. */
export type Caller =
  | {
      readonly kind: 'person'
      readonly person: Person
      readonly roles: ReadonlySet<Role>
      /** `null` for a person who comes with their own token, from the CLI. */
      readonly session: Session | null
    }
  | {
      readonly kind: 'machine'
      readonly subject: Subject
      readonly scopes: readonly KeyScope[]
    }

export interface CallerDeps {
  /** Read anew for each request: it can change. */
  readonly identity: Config['identity']
  readonly store: Store
  readonly authenticator: Authenticator
  readonly cookies: Cookies
}

/** Milliseconds that a person who comes with a token is not written down again. */
const remembered = 5 * 60_000

/**
 * Finds out who calls: by the token in `Authorization`, else by the session's cookie. Throws
 * `unauthenticated`, or `forbidden` for a token that is no person's.
 */
export function createCallerOf({ identity, store, authenticator, cookies }: CallerDeps) {
  const known = new Recent<Person>(1_000)

  async function byToken(token: string): Promise<Caller> {
    const principal = await authenticator.authenticate(token)
    const { subject, credential } = principal
    if (subject.issuer === keyIssuer) {
      return { kind: 'machine', subject, scopes: subject.claims['scopes'] as KeyScope[] }
    }
    const before = known.get(credential.id, Date.now())
    if (before) return personCaller(before, null)
    const claimed = personOfPrincipal(principal, identity)
    if (!claimed) {
      throw new Problem(
        'forbidden',
        'This token is no person’s own: people come with one that the console or `sallyport login` obtained, with their groups in it.',
      )
    }
    const person = await rememberPerson(store, claimed, new Date(credential.issuedAt ?? 0))
    known.set(credential.id, person, Math.min(credential.expiresAt!, Date.now() + remembered))
    return personCaller(person, null)
  }

  async function bySession(cookie: string): Promise<Caller> {
    const session = await findSession(store, cookie)
    // Also one of people whose identity provider is not the one to log in with any more.
    if (!session || session.person.issuer !== identity.login?.issuer) {
      throw new Refusal('session-ended')
    }
    return personCaller(session.person, session)
  }

  function personCaller(person: Person, session: Session | null): Caller {
    return { kind: 'person', person, roles: rolesOf(person, identity.roles), session }
  }

  return async (request: FastifyRequest): Promise<Caller> => {
    const { authorization } = request.headers
    if (authorization !== undefined) return byToken(bearerToken(authorization))
    const cookie = request.cookies[cookies.session]
    if (cookie === undefined) throw new Refusal('missing')
    return bySession(cookie)
  }
}

/** RFC 6750, §2.1. */
function bearerToken(authorization: string): string {
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  if (token === undefined) throw new Refusal('missing')
  return token
}

/**
 * The person who calls. For routes whose access is for people alone: a machine there is refused,
 * whatever its scopes.
 */
export function personOf({ caller }: FastifyRequest): Person {
  if (caller?.kind === 'person') return caller.person
  throw new Problem('forbidden', 'This is for people. A key cannot do it.')
}

/** Who asks, as it goes on record. Routes that are not public have a caller. */
export function subjectOf(caller: Caller | null): Subject {
  if (!caller) throw new Problem('unauthenticated', 'Nobody is known to have asked for this.')
  return caller.kind === 'person' ? subjectOfPerson(caller.person) : caller.subject
}
