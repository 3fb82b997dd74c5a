import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { login as loginSchema } from '../config/schema-identity.ts'
import type { Config, IssuerConfig, LoginConfig } from '../config/schema.ts'

type Identity = Config['identity']

/**
 * What of the identity section says who is who, and who may do what here: the part that is in force
 * for all replicas. Plain JSON, without secrets, and without what each replica may know for itself:
 * how long and how often.
 */
export interface GovernedIdentity {
  readonly roles: Identity['roles']
  readonly login?: Pick<LoginConfig, 'issuer' | 'client_id' | 'cli_client_id' | 'groups_claim'>
  readonly issuers: readonly GovernedIssuer[]
  readonly certificates: Identity['certificates']
  readonly events: Identity['events']
}

interface GovernedIssuer extends Pick<IssuerConfig, 'issuer' | 'audience' | 'claims'> {
  /** Which of its tokens it is asked about. */
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
  // As it comes back from the store: what is not set is not there.
  return JSON.parse(JSON.stringify(governed)) as GovernedIdentity
}

/** SHA-256, in hex. */
export function hashOfIdentity(governed: GovernedIdentity): string {
  return createHash('sha256').update(canonicalize(governed)!).digest('hex')
}

/**
 * What a replica goes by: what is in force, with the secrets and times of its own file. An issuer
 * that its file has no longer is not trusted any more: to trust less needs nobody. One whose
 * introspection is in force, and which this file has no client for, is not trusted either.
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
  // Closed: its tokens are worth what it says of them, and nobody here can ask it.
  return client ? [{ ...rest, ...governed, introspection: { ...client, tokens } }] : []
}

/** The secret of another client is not sent in the name of this one. */
function loginInForce(
  own: LoginConfig | undefined,
  governed: NonNullable<GovernedIdentity['login']>,
): LoginConfig {
  const same = own?.issuer === governed.issuer && own.client_id === governed.client_id
  const { scopes, session, client_secret } = own ?? loginSchema.parse(governed)
  return { ...governed, scopes, session, ...(same && client_secret && { client_secret }) }
}
