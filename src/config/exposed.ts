import { isLoopback } from '../core/loopback.ts'
import type { Config, ListenerConfig } from './schema.ts'

/**
 * The listeners that other machines can reach without TLS. Credentials reach them in clear text,
 * unless they can be reached only through a proxy with TLS, which cannot be seen from here.
 */
export function exposedListeners(listen: Config['listen']): (keyof Config['listen'])[] {
  const keys = ['agents', 'control'] as const
  return keys.filter((key) => {
    const { tls, public_url } = listen[key]
    const proxied = public_url?.startsWith('https:') ?? false
    return !tls && !proxied && isReachable(listen[key])
  })
}

/**
 * Whether other machines can send proofs of possession (DPoP) while no public URL is configured, so
 * that only the header Host, which the client chooses, says for which address a proof has to be
 * made.
 */
export function isHostBelieved({ listen, identity }: Pick<Config, 'listen' | 'identity'>): boolean {
  const { agents } = listen
  return identity.issuers.length > 0 && agents.public_url === undefined && isReachable(agents)
}

function isReachable({ address: { host } }: ListenerConfig): boolean {
  return !isLoopback(`http://${host.includes(':') ? `[${host}]` : host}`)
}
