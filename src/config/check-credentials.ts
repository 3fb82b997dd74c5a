import { isLoopback } from '../core/loopback.ts'
import type { Finding } from './finding.ts'
import { isPostgres, type Config } from './schema.ts'

/**
 * Finds settings in different parts of the configuration that together make credentials prove less
 * than they seem to.
 */
export function* checkCredentials({ identity, listen, resources }: Config): Generator<Finding> {
  const { issuers, login, certificates } = identity
  for (const [i, { issuer, audience }] of issuers.entries()) {
    if (issuer === login?.issuer && [login.client_id, login.cli_client_id].includes(audience))
      yield {
        path: ['identity', 'issuers', i, 'audience'],
        message: 'ID tokens have this audience too, so a login could be shown as an access token.',
        remedy:
          'Register an API at the identity provider, and write its audience; no client of a login.',
      }
  }
  yield* checkIntrospection(identity)
  yield* checkTransmitters(identity)
  const listeners = [listen.agents, ...resources.filter(isPostgres)]
  if (certificates.length > 0 && listeners.every(({ tls }) => tls?.client_ca === undefined))
    yield {
      path: ['identity', 'certificates'],
      message: 'No listener asks for client certificates, so nobody can come with one.',
      remedy:
        'Name the authorities that sign them: listen.agents.tls.client_ca, or tls.client_ca of a database.',
    }
}

function* checkIntrospection({ issuers }: Config['identity']): Generator<Finding> {
  const opaque = issuers.findIndex(({ introspection: it }) => it && it.tokens !== 'jwt')
  for (const [i, { introspection }] of issuers.entries()) {
    if (!introspection) continue
    const path = ['identity', 'issuers', i, 'introspection']
    if (introspection.tokens !== 'jwt' && i > opaque)
      yield {
        path: [...path, 'tokens'],
        message:
          'Opaque tokens do not say whose they are, and another issuer has them already: it would be shown tokens of this one.',
        remedy: 'Keep opaque or all at one issuer; write jwt at the others.',
      }
    if (introspection.cache > 60_000)
      yield {
        path: [...path, 'cache'],
        message: 'A token that was revoked would work for more than a minute.',
        remedy: 'Write at most 60s.',
      }
  }
}

function* checkTransmitters({ events, issuers, login }: Config['identity']): Generator<Finding> {
  const known = new Set([login?.issuer, ...issuers.map(({ issuer }) => issuer)])
  for (const [i, { issuer, jwks_uri, about }] of events.entries()) {
    const path = ['identity', 'events', i]
    for (const [key, url] of Object.entries({ issuer, jwks_uri }))
      if (url !== undefined && !url.startsWith('https:') && !isLoopback(url))
        yield {
          path: [...path, key],
          message: 'Keys fetched over http:// can be anybody’s.',
          remedy: 'Use https://; http:// is for an issuer on this machine only.',
        }
    for (const [j, name] of about.entries())
      if (!known.has(name))
        yield {
          path: [...path, 'about', j],
          message: 'Nobody here has tokens or logins of this issuer.',
          remedy: 'Write an issuer of identity.issuers, or that of identity.login.',
        }
  }
}
