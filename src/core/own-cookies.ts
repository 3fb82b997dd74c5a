/**
 * The names of the control plane's cookies, without the prefix that they have over https
 * (`__Host-`).
 */
export const cookieNames = {
  session: 'sallyport',
  login: 'sallyport_login',
  csrf: 'sallyport_csrf',
} as const

const own: ReadonlySet<string> = new Set(Object.values(cookieNames))

/**
 * Whether a cookie, as `name=value…`, is one of the control plane's. Cookies ignore ports (RFC 6265
 * §8.5): if the agents' listener has the same host, browsers send these cookies to it, and accept
 * them from it.
 */
export function isOwnCookie(cookie: string): boolean {
  // A cookie without a name is sent like one whose name is the beginning of its value.
  const name = cookie
    .replace(/^[\s=]+/, '')
    .split('=', 1)[0]!
    .trim()
  return own.has(name.replace(/^__(?:Host|Secure)-/i, ''))
}
