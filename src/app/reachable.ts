import type { Config } from '../config/schema.ts'
import type { ReachableResource } from '../console/routes/resources.ts'
import type { ListeningPorts } from './agents.ts'

/** The addresses at which agents reach each resource, by what is listened on. */
export function reachableResources(
  { listen: { agents }, resources }: Config,
  { http, databases }: ListeningPorts,
): ReachableResource[] {
  const known = agents.public_url === undefined ? null : new URL(agents.public_url)
  return resources.map((resource) => {
    const { name, protocol } = resource
    if (resource.protocol === 'postgres') {
      return {
        ...{ name, protocol, prefix: null },
        host: hostOf(resource.listen.host),
        port: databases[name]!,
        tls: resource.tls !== undefined,
        databases: resource.upstream.databases,
      }
    }
    const tls = known ? known.protocol === 'https:' : agents.tls !== undefined
    return {
      ...{ name, protocol, tls, databases: [] },
      host:
        'host' in resource.match
          ? resource.match.host
          : (known?.hostname ?? hostOf(agents.address.host)),
      port: known ? Number(known.port || (tls ? 443 : 80)) : http,
      prefix: 'prefix' in resource.match ? resource.match.prefix : null,
    }
  })
}

/** `null` where every address of the machine is listened on, because its name is not known here. */
function hostOf(host: string | undefined): string | null {
  return host === undefined || host === '0.0.0.0' || host === '::' ? null : host
}
