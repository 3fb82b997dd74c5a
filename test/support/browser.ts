/** What a browser does with cookies and redirects, as far as logging in needs it. Scripts it has none. */

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export class Browser {
  // By host, without the port, as in real ones (RFC 6265, §8.5).
  readonly #cookies = new Map<string, Cookie[]>()
  /** Every Set-Cookie line that came, in order. */
  readonly seen: string[] = []

  /** Goes there, and wherever it is sent on to. */
  async open(target: string | URL, init: RequestInit = {}): Promise<Page> {
    let url = new URL(target)
    let request = init
    for (let hops = 0; hops < 12; hops += 1) {
      const response = await this.fetch(url, request)
      const location = response.headers.get('location')
      const body = await response.text()
      if (location === null || response.status < 300 || response.status > 399) {
        return { url, status: response.status, headers: response.headers, body }
      }
      url = new URL(location, url)
      request = {}
    }
    throw new Error(`sent on too often, the last time to ${url.href}`)
  }

  /** One request, with this browser's cookies. */
  async fetch(target: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(target)
    const headers = new Headers(init.headers)
    const jar = this.#cookies.get(url.hostname) ?? []
    const sent = jar.filter(({ path }) => url.pathname.startsWith(path))
    if (sent.length > 0) {
      headers.set('cookie', sent.map(({ name, value }) => `${name}=${value}`).join('; '))
    }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#take(url, line)
    return response
  }

  /** Sends the first form of a page, as its button would. */
  async submit(page: Page, fields: Record<string, string>): Promise<Page> {
    const action = /<form[^>]*action="([^"]+)"/.exec(page.body)?.[1]
    if (action === undefined) throw new Error(`no form at ${page.url.href}: ${page.body}`)
    const hidden = [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const given = Object.fromEntries(hidden.map(([, name, value]) => [name!, value!]))
    return this.open(new URL(action, page.url), {
      method: 'POST',
      body: new URLSearchParams({ ...given, ...fields }),
    })
  }

  cookie(host: string, name: string): string | undefined {
    return this.#cookies.get(host)?.find((cookie) => cookie.name === name)?.value
  }

  setCookie(host: string, name: string, value: string): void {
    const others = (this.#cookies.get(host) ?? []).filter((cookie) => cookie.name !== name)
    this.#cookies.set(host, [...others, { name, value, path: '/' }])
  }

  #take(url: URL, line: string): void {
    this.seen.push(line)
    const [pair, ...attributes] = line.split('; ')
    const name = pair!.slice(0, pair!.indexOf('='))
    const value = pair!.slice(pair!.indexOf('=') + 1)
    const attribute = (wanted: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.split('=')[1]
    const path = attribute('path') ?? '/'
    const expires = attribute('expires')
    const gone = attribute('max-age') === '0' || (expires && Date.parse(expires) <= Date.now())
    const jar = (this.#cookies.get(url.hostname) ?? []).filter(
      (cookie) => cookie.name !== name || cookie.path !== path,
    )
    this.#cookies.set(url.hostname, gone ? jar : [...jar, { name, value, path }])
  }
}
