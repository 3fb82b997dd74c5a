import { isLoopback } from '../core/loopback.ts'
import type { Config } from './schema.ts'

/**
 * The listeners that other machines can reach without TLS. Credentials come to them in clear text, unless there is a proxy with TLS before them and nothing else reaches
 * them, which nobody can see from here.
 */
export function exposedListeners(listen: Config['listen']): (keyof Config['listen'])[] {
  const keys = ['agents', 'control'] as const
  return keys.filter((key) => {
    const { address, tls, public_url } = listen[key]
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    const proxied = public_url?.startsWith('https:') ?? false
    return !tls && !proxied && !isLoopback(`http://${host}`)
  })
}
