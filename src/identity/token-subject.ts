import type { IssuerConfig, LoginConfig } from '../config/schema.ts'
import type { JsonObject } from '../core/json.ts'
import type { Subject, SubjectKind } from '../core/subject.ts'
import {
  badClaim,
  chainOf,
  claim,
  groupsOf,
  nameOf,
  ownerOf,
  refuseUnrecordable,
  type Claims,
} from './claims.ts'

/**
 * Claims that name the client to which the token was issued, in this order: OpenID Connect, RFC
 * 9068, Okta, Microsoft Entra.
 */
const clientClaims = ['azp', 'client_id', 'cid', 'appid']

/**
 * Claims about the token rather than its subject: they differ from token to token of the same
 * subject.
 */
const aboutTheToken = new Set(
  'exp nbf iat jti auth_time nonce sid at_hash c_hash s_hash uti rh aio'.split(' '),
)

/** The subject of a verified token. Throws a `Refusal` when a claim that matters cannot be read. */
export function subjectOfToken(
  claims: Claims,
  { issuer, claims: names }: IssuerConfig,
  login: LoginConfig | undefined,
): Subject {
  refuseUnrecordable(claims)
  const subject = nameOf(claim(claims, 'sub'), 'sub')
  const chain = chainOf(claims, issuer)
  const clients = clientsOf(claims)
  const said = kindSaid(claims, names.kind)
  // With a delegated token somebody else acts, and a client's own token belongs to a machine.
  // Neither is a person, whatever a claim says.
  const machine = chain.length > 0 || clients.includes(subject)
  const ours = issuer === login?.issuer && isOurClient(clients, login)
  const kind = machine ? machineKind(said) : (said ?? (ours ? 'human' : 'agent'))
  // A token that one machine exchanged for another looks like one that a person delegated. It
  // counts as that only if its issuer says that the subject is a person. Otherwise the subject acts
  // for itself, as a client does, and somebody else has to be the owner. Closed.
  const exchanged = chain.length > 0 && said !== 'human' && !clients.includes(subject)
  const behind = exchanged ? [...clients, subject] : clients
  return {
    issuer,
    subject,
    kind,
    groups: groupsOf(claims, names.groups),
    owner: ownerOf(claims, names.owner, issuer),
    chain,
    related: behind.map((client) => ({ issuer, subject: client })),
    claims: Object.fromEntries(
      Object.entries(claims).filter(([name]) => !aboutTheToken.has(name)),
    ) as JsonObject,
  }
}

export function clientsOf(claims: Claims): string[] {
  const named = clientClaims
    .filter((name) => claim(claims, name) !== undefined)
    .map((name) => nameOf(claim(claims, name), name))
  return [...new Set(named)]
}

/** Whether the token was issued to the console or the CLI, and to nobody else. */
export function isOurClient(clients: readonly string[], login: LoginConfig): boolean {
  const ours = [login.client_id, login.cli_client_id]
  return clients.length > 0 && clients.every((client) => ours.includes(client))
}

/**
 * The values of the configured claim, in our words or in those of OAuth entity profiles
 * (`sub_profile`). Any other value means an agent.
 */
const kinds: Readonly<Record<string, SubjectKind>> = {
  human: 'human',
  user: 'human',
  agent: 'agent',
  ai_agent: 'agent',
  service: 'service',
  client: 'service',
}

function kindSaid(claims: Claims, name: string | undefined): SubjectKind | undefined {
  const value = name === undefined ? undefined : claim(claims, name)
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw badClaim(name!)
  return Object.hasOwn(kinds, value) ? kinds[value] : 'agent'
}

function machineKind(said: SubjectKind | undefined): SubjectKind {
  return said === 'service' ? 'service' : 'agent'
}
