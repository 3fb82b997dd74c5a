import { MistakesError } from '../core/errors.ts'
import { isLoopback } from '../core/loopback.ts'
import type { Finding } from './finding.ts'
import { readTlsFilesNow } from './read-tls-files.ts'
import { isPostgres, type Config, type ListenerConfig, type TlsConfig } from './schema.ts'
import { tlsMaterial } from './tls-files.ts'

export function* checkListeners({ listen, resources }: Config): Generator<Finding> {
  const { agents, control } = listen
  yield* checkListener(['listen', 'agents'], 'address', agents)
  yield* checkListener(['listen', 'control'], 'address', control)
  yield* checkPublicUrl('agents', agents)
  yield* checkPublicUrl('control', control)
  if (control.trusted_proxies.length > 0 && control.public_url === undefined)
    yield {
      path: ['listen', 'control', 'trusted_proxies'],
      message: 'Behind a proxy the gateway has to know how people reach it.',
      remedy: 'Write public_url.',
    }
  const taken = [agents.address.port, control.address.port]
  for (const [i, resource] of resources.entries()) {
    if (!isPostgres(resource)) continue
    const { listen: address, tls, trusted } = resource
    yield* checkListener(['resources', i], 'listen', { address, tls })
    // Hosts are not compared, because 0.0.0.0 takes the port on all of them.
    if (address.port !== 0 && taken.includes(address.port))
      yield {
        path: ['resources', i, 'listen'],
        message: 'Another listener of this gateway has this port.',
        remedy: 'Give each database, the agents and the control plane a port of its own.',
      }
    taken.push(address.port)
    if (!tls && !trusted)
      yield {
        path: ['resources', i],
        message: 'Agents would send their tokens to this listener in clear text.',
        remedy: 'Add tls with a certificate; or trusted: true, where nobody can listen in.',
      }
  }
  // Hosts are not compared: agents must not reach the control plane through an address that it
  // shares with a resource.
  if (agents.address.port !== 0 && agents.address.port === control.address.port)
    yield {
      path: ['listen', 'control', 'address'],
      message: 'Agents and the control plane cannot share a port.',
      remedy: 'Give each a port of its own, such as 8080 and 8081.',
    }
  if (agents.wait > agents.max_wait)
    yield {
      path: ['listen', 'agents', 'wait'],
      message: 'wait is longer than max_wait.',
      remedy: 'Raise max_wait, or lower wait.',
    }
}

/**
 * Anything sent over http:// from another machine can be read and used by anybody on the way:
 * cookies, tokens, approvals.
 */
function* checkPublicUrl(
  key: keyof Config['listen'],
  { public_url, tls }: { public_url?: string | undefined; tls?: TlsConfig | undefined },
): Generator<Finding> {
  if (public_url === undefined || public_url.startsWith('https:')) return
  const path = ['listen', key, 'public_url']
  // The cookies would be sent without `Secure`, and browsers would speak plain HTTP to a port that
  // expects TLS.
  if (tls)
    yield {
      path,
      message: 'This listener speaks https, and this says that it is reached by http.',
      remedy: 'Write https://, or take tls out.',
    }
  else if (!isLoopback(public_url))
    yield {
      path,
      message:
        'Credentials would come from other machines without TLS, for anybody on the way to read.',
      remedy: 'Write https://, and give the listener tls or put a proxy with TLS before it.',
    }
}

function* checkListener(
  path: readonly PropertyKey[],
  key: string,
  { address, tls }: ListenerConfig,
): Generator<Finding> {
  if (address.port > 65_535)
    yield {
      path: [...path, key],
      message: `There is no port ${address.port}.`,
      remedy: 'Write a port up to 65535; 0 takes any free one.',
    }
  if (tls) yield* checkTls([...path, 'tls'], tls)
}

function keyOfFile(tls: TlsConfig, file: string): string {
  const keys = ['key', 'client_ca', 'client_crl'] as const
  return keys.find((key) => tls[key] === file) ?? 'cert'
}

function* checkTls(path: readonly PropertyKey[], tls: TlsConfig): Generator<Finding> {
  if (tls.client_ca === undefined && (tls.client_crl ?? tls.client_certificates) !== undefined)
    yield {
      path: [...path, 'client_ca'],
      message: 'Nothing says which client certificates count, so no client can have a good one.',
      remedy: 'Name the file of the authorities: client_ca.',
    }
  try {
    tlsMaterial(tls, readTlsFilesNow(tls))
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    for (const { file, message, remedy = '' } of error.mistakes)
      yield { path: [...path, keyOfFile(tls, file)], message, remedy }
  }
}
