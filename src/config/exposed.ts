import { isLoopback } from '../core/loopback.ts'
import type { Config, ListenerConfig } from './schema.ts'

/**
 * The listeners that other machines can reach without TLS. Credentials come to them in clear text,
 * unless there is a proxy with TLS before them and nothing else reaches them, which nobody can see
 * from here.
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
 * Whether other machines can send proofs of possession (DPoP), and nothing says for which address
 * these have to be made but what their clients write into Host.
 */
export function isHostBelieved({ listen, identity }: Pick<Config, 'listen' | 'identity'>): boolean {
  const { agents } = listen
  return identity.issuers.length > 0 && agents.public_url === undefined && isReachable(agents)
}

function isReachable({ address: { host } }: ListenerConfig): boolean {
  return !isLoopback(`http://${host.includes(':') ? `[${host}]` : host}`)
}
