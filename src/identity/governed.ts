import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { login as loginSchema } from '../config/schema-identity.ts'
import type { Config, IssuerConfig, LoginConfig } from '../config/schema.ts'

type Identity = Config['identity']

/**
 * The part of the identity section that says who is who and who may do what, which is in force for
 * all replicas. Plain JSON, without secrets and without times, which each replica may set for
 * itself.
 */
export interface GovernedIdentity {
  readonly roles: Identity['roles']
  readonly login?: Pick<LoginConfig, 'issuer' | 'client_id' | 'cli_client_id' | 'groups_claim'>
  readonly issuers: readonly GovernedIssuer[]
  readonly certificates: Identity['certificates']
  readonly events: Identity['events']
}

interface GovernedIssuer extends Pick<IssuerConfig, 'issuer' | 'audience' | 'claims'> {
  /** Which of the issuer's tokens have to be introspected. */
  readonly introspection?: NonNullable<IssuerConfig['introspection']>['tokens']
}

export function governedIdentity(own: Identity): GovernedIdentity {
  const { roles, login, issuers, certificates, events } = own
  const governed: GovernedIdentity = {
    roles,
    ...(login && {
      login: {
        issuer: login.issuer,
        client_id: login.client_id,
        cli_client_id: login.cli_client_id,
        groups_claim: login.groups_claim,
      },
    }),
    issuers: issuers.map(({ issuer, audience, claims, introspection }) => ({
      ...{ issuer, audience, claims },
      ...(introspection && { introspection: introspection.tokens }),
    })),
    certificates,
    events,
  }
  // In the form that comes back from the store, without unset members.
  return JSON.parse(JSON.stringify(governed)) as GovernedIdentity
}

/** SHA-256, in hex. */
export function hashOfIdentity(governed: GovernedIdentity): string {
  return createHash('sha256').update(canonicalize(governed)!).digest('hex')
}

/**
 * The identity settings that a replica goes by: what is in force, with the secrets and times of its
 * own file. An issuer that is no longer in its file is not trusted: to trust less needs nobody's
 * leave. Nor is one that has to be introspected and has no client in this file.
 */
export function identityInForce(
  own: Identity,
  { roles, login, issuers, certificates, events }: GovernedIdentity,
): Identity {
  return {
    roles,
    login: login && loginInForce(own.login, login),
    issuers: issuers.flatMap((governed) => issuerInForce(own, governed)),
    certificates,
    events,
  }
}

function issuerInForce(
  own: Identity,
  { introspection: tokens, ...governed }: GovernedIssuer,
): IssuerConfig[] {
  const mine = own.issuers.find(({ issuer }) => issuer === governed.issuer)
  if (!mine) return []
  const { introspection: client, ...rest } = mine
  if (tokens === undefined) return [{ ...rest, ...governed }]
  // Closed: its tokens need introspection, and this replica cannot ask.
  return client ? [{ ...rest, ...governed, introspection: { ...client, tokens } }] : []
}

/** The login settings. A client's secret is only used for that client. */
function loginInForce(
  own: LoginConfig | undefined,
  governed: NonNullable<GovernedIdentity['login']>,
): LoginConfig {
  const same = own?.issuer === governed.issuer && own.client_id === governed.client_id
  const { scopes, session, client_secret } = own ?? loginSchema.parse(governed)
  return { ...governed, scopes, session, ...(same && client_secret && { client_secret }) }
}
