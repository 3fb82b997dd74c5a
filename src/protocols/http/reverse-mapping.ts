import type { HttpResource } from '../../config/schema.ts'

/**
 * `//host/…`, and what browsers take for it (URL Standard, §4.4). A path that begins like this
 * leads to another host when it stands alone.
 */
const namesHost = /^\/[\t\r\n]*[/\\]/

/**
 * Maps an upstream's own addresses to those outside. An upstream knows nothing of the gateway, and
 * says `Location: /v1/orders/7` or names itself. An ordinary client that follows would end up at
 * another resource, or bypass the gateway. Addresses that lead elsewhere stay as they are.
 */
export class ReverseMapping {
  readonly #upstream: URL
  /** The path of the upstream, without a trailing slash. */
  readonly #base: string
  /** The path that replaces it outside. */
  readonly #prefix: string

  constructor({ upstream, match }: Pick<HttpResource, 'upstream' | 'match'>) {
    this.#upstream = new URL(upstream)
    this.#base = this.#upstream.pathname.replace(/\/+$/, '')
    this.#prefix = 'prefix' in match ? match.prefix : ''
  }

  /**
   * Maps a `Location` or `Content-Location` (RFC 9110 §10.2.2, §8.7). A path is enough there, so
   * the gateway's own name need not be known.
   */
  location(value: string): string {
    return this.#outside(value) ?? value
  }

  /**
   * Maps a `Link` (RFC 8288). Some clients need the whole URL of the next page, so an absolute one
   * gets `origin`, or becomes a path where that is `null`.
   */
  link(value: string, origin: string | null): string {
    return value.replace(/<([^<>]*)>(?=\s*(?:[;,]|$))/g, (whole, target: string) => {
      const path = this.#outside(target)
      if (path === null) return whole
      return `<${target.startsWith('/') ? '' : (origin ?? '')}${path}>`
    })
  }

  /**
   * Maps a `Set-Cookie` (RFC 6265 §4.1) to the resource's path and the gateway's host, so that a
   * cookie of one resource is not sent to another. One with the prefix `__Host-` is by its name for
   * all paths, and stays.
   */
  cookie(value: string): string {
    if (value.startsWith('__Host-')) return value
    const [pair, ...attributes] = value.split(';')
    const kept = attributes.flatMap((attribute) => {
      const at = attribute.indexOf('=')
      const name = attribute.slice(0, at).trim().toLowerCase()
      const setting = attribute.slice(at + 1).trim()
      if (name === 'domain') return this.#isOurs(setting) ? [] : [attribute]
      return [name === 'path' ? ` Path=${this.#cookiePath(setting)}` : attribute]
    })
    return [pair, ...kept].join(';')
  }

  /**
   * The path outside, with query and fragment; `null` for an address that leads elsewhere, or is
   * relative to that of the request.
   */
  #outside(reference: string): string | null {
    const path = this.#pathAtUpstream(reference)
    if (path === null || !path.startsWith(this.#base)) return null
    const below = path.slice(this.#base.length)
    if (!/^(?:$|[/?#])/.test(below)) return null
    const outside = `${this.#prefix}${below.startsWith('/') ? '' : '/'}${below}`
    return namesHost.test(outside) ? null : outside
  }

  #pathAtUpstream(reference: string): string | null {
    if (reference.startsWith('/')) return namesHost.test(reference) ? null : reference
    const [, origin, path] = /^(https?:\/\/[^/?#\\]*)(.*)$/i.exec(reference) ?? []
    if (origin === undefined || !URL.canParse(origin)) return null
    const { origin: named, username, password } = new URL(origin)
    if (named !== this.#upstream.origin || username || password) return null
    return path!.startsWith('/') ? path! : `/${path}`
  }

  #isOurs(domain: string): boolean {
    const name = domain.replace(/^\./, '').toLowerCase()
    const { hostname } = this.#upstream
    return hostname === name || hostname.endsWith(`.${name}`)
  }

  #cookiePath(path: string): string {
    const above = path.replace(/\/+$/, '')
    // The cookie is for everything that the upstream has, or more.
    if (this.#base === above || this.#base.startsWith(`${above}/`)) return this.#prefix || '/'
    return this.#outside(path) ?? path
  }
}
