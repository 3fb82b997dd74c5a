import { MistakesError } from '../core/errors.ts'
import type { Finding } from './finding.ts'
import { readTlsFilesNow } from './read-tls-files.ts'
import { isPostgres, type Config, type ListenerConfig, type TlsConfig } from './schema.ts'
import { tlsMaterial } from './tls-files.ts'

export function* checkListeners({ listen, resources }: Config): Generator<Finding> {
  const { agents, control } = listen
  yield* checkListener(['listen', 'agents'], 'address', agents)
  yield* checkListener(['listen', 'control'], 'address', control)
  const taken = [agents.address.port, control.address.port]
  for (const [i, resource] of resources.entries()) {
    if (!isPostgres(resource)) continue
    const { listen: address, tls, trusted } = resource
    yield* checkListener(['resources', i], 'listen', { address, tls })
    // Whatever the hosts are: 0.0.0.0 takes the port of all of them.
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
  // Whatever the hosts are: agents must not reach the control plane by an address that a resource shares with it.
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
  // The cookies would go without `Secure`, and the login would come back to a port that does not understand it.
  if (control.tls && control.public_url?.startsWith('http:'))
    yield {
      path: ['listen', 'control', 'public_url'],
      message: 'The control plane speaks https, and this says that people reach it by http.',
      remedy: 'Write https://, or take tls out.',
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
