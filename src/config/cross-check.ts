import { statSync } from 'node:fs'
import { isLoopback } from '../core/loopback.ts'
import { checkAudit } from './check-audit.ts'
import { checkChannels } from './check-channels.ts'
import { checkDatasets } from './check-datasets.ts'
import { checkCredentials } from './check-credentials.ts'
import { checkListeners } from './check-listeners.ts'
import { checkResources } from './check-resources.ts'
import type { Finding } from './finding.ts'
import type { Config } from './schema.ts'

/**
 * Checks that the parts of a configuration fit together. Expects one that satisfies the schema,
 * with absolute paths.
 */
export function crossCheck(config: Config): Finding[] {
  return [
    ...checkListeners(config),
    ...checkIdentity(config),
    ...checkCredentials(config),
    ...checkResources(config.resources),
    ...checkDatasets(config),
    ...checkFolder(config.policies),
    ...checkChannels(config),
    ...checkAudit(config),
  ]
}

function* checkIdentity({ identity: { issuers, login, roles } }: Config): Generator<Finding> {
  for (const [i, { issuer, max_skew }] of issuers.entries()) {
    const path = ['identity', 'issuers', i]
    if (issuers.findIndex((other) => other.issuer === issuer) < i)
      yield {
        path: [...path, 'issuer'],
        message: 'This issuer is there twice, so which of its entries counts is not clear.',
        remedy: 'Keep one entry for each issuer.',
      }
    if (max_skew > 300_000)
      yield {
        path: [...path, 'max_skew'],
        message: 'A clock that is off by more than five minutes would revive expired tokens.',
        remedy: 'Write at most 5m, and set the clocks.',
      }
    if (!secure(issuer)) yield { path: [...path, 'issuer'], ...insecure }
  }
  if (login && !secure(login.issuer)) yield { path: ['identity', 'login', 'issuer'], ...insecure }
  if (login?.cli_client_id && !issuers.some(({ issuer }) => issuer === login.issuer))
    yield {
      path: ['identity', 'login', 'cli_client_id'],
      message: 'Tokens from `sallyport login` would be refused: their issuer is not accepted.',
      remedy: "Add the login's issuer to identity.issuers, with its audience.",
    }
  if (Object.keys(roles).length > 0 && !login && issuers.length === 0)
    yield {
      path: ['identity', 'roles'],
      message: 'There are roles, and nobody can log in to have one.',
      remedy: 'Add identity.login.',
    }
}

const insecure = {
  message: 'Keys and tokens fetched over http:// can be anybody’s.',
  remedy: 'Use https://; http:// is for an issuer on this machine only.',
}

const secure = (url: string): boolean => url.startsWith('https:') || isLoopback(url)

function* checkFolder(policies: string): Generator<Finding> {
  if (!statSync(policies, { throwIfNoEntry: false })?.isDirectory())
    yield {
      path: ['policies'],
      message: 'There is no policy folder here, and without policies everything is denied.',
      remedy: 'Create the folder, or name the one that there is.',
    }
}
