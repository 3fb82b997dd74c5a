import type { HttpResource } from '../../config/schema.ts'

/**
 * `//host/…`, and what a browser takes for it (URL Standard, §4.4): a path that begins so leads to
 * another host once it stands alone.
 */
const namesHost = /^\/[\t\r\n]*[/\\]/

/**
 * Where an upstream's own addresses are found from outside. It knows nothing of the gateway, and
 * says `Location: /v1/orders/7` or names itself: an agent's ordinary client that follows would end
 * at another resource, or past the gateway. What leads elsewhere stays as it is.
 */
export class ReverseMapping {
  readonly #upstream: URL
  /** Path of the upstream, without a slash at its end. */
  readonly #base: string
  /** What takes its place outside. */
  readonly #prefix: string

  constructor({ upstream, match }: Pick<HttpResource, 'upstream' | 'match'>) {
    this.#upstream = new URL(upstream)
    this.#base = this.#upstream.pathname.replace(/\/+$/, '')
    this.#prefix = 'prefix' in match ? match.prefix : ''
  }

  /**
   * A `Location` or `Content-Location` (RFC 9110 §10.2.2, §8.7). A path is enough there, so that no
   * name of the gateway has to be known.
   */
  location(value: string): string {
    return this.#outside(value) ?? value
  }

  /**
   * A `Link` (RFC 8288). Clients ask for the next page by the whole URL if that is how it was
   * given: `origin`, or a path where that is `null`.
   */
  link(value: string, origin: string | null): string {
    return value.replace(/<([^<>]*)>(?=\s*(?:[;,]|$))/g, (whole, target: string) => {
      const path = this.#outside(target)
      if (path === null) return whole
      return `<${target.startsWith('/') ? '' : (origin ?? '')}${path}>`
    })
  }

  /**
   * A `Set-Cookie` (RFC 6265 §4.1): for the resource's paths instead of the upstream's, and for the
   * gateway's host instead of the upstream's. So a cookie of one resource is not sent to the next.
   * One with the prefix `__Host-` says itself that it is for everything, and stays.
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
   * The path outside, with query and fragment; `null` for what leads elsewhere, and for what is
   * relative to the request's own address.
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
    // For everything that the upstream has, or more.
    if (this.#base === above || this.#base.startsWith(`${above}/`)) return this.#prefix || '/'
    return this.#outside(path) ?? path
  }
}
