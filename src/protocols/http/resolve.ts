import type { HttpResource } from '../../config/schema.ts'
import type { StrictRequest } from './strict/strict-request.ts'
import type { Target } from './strict/strict-target.ts'

/** The resource that a request is for, and the path within it. */
export interface Resolved<Resource> {
  readonly resource: Resource
  /** The path below the resource's prefix, in the bytes that came; never empty. */
  readonly path: Target['path']
}

type Matching = Pick<HttpResource, 'match'>

/**
 * Finds the resource of a request: by host first, then by the longest prefix that ends where a
 * segment does.
 */
export class Resolver<Resource extends Matching> {
  readonly #hosts = new Map<string, Resource>()
  // The longest first, so that the first match counts.
  readonly #prefixes: readonly { readonly prefix: string; readonly resource: Resource }[]

  constructor(resources: readonly Resource[]) {
    for (const resource of resources) {
      if ('host' in resource.match) this.#hosts.set(resource.match.host, resource)
    }
    this.#prefixes = resources
      .flatMap((resource) =>
        'prefix' in resource.match ? [{ prefix: resource.match.prefix, resource }] : [],
      )
      .toSorted((a, b) => b.prefix.length - a.prefix.length)
  }

  byHost({ host }: Pick<StrictRequest, 'host'>): Resource | null {
    return (host !== null && this.#hosts.get(host)) || null
  }

  resolve(request: Pick<StrictRequest, 'host' | 'path'>): Resolved<Resource> | null {
    const { path } = request
    const named = this.byHost(request)
    if (named) return { resource: named, path }
    for (const { prefix, resource } of this.#prefixes) {
      if (!path.startsWith(prefix)) continue
      const below = path.slice(prefix.length)
      if (below === '') return { resource, path: '/' }
      if (below.startsWith('/')) return { resource, path: below }
    }
    return null
  }
}
