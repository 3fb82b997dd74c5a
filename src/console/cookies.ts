import type { CookieSerializeOptions } from '@fastify/cookie'
import { cookieNames } from '../core/own-cookies.ts'

/** Names and attributes of the control plane's cookies. */
export interface Cookies {
  readonly session: string
  readonly login: string
  readonly csrf: string
  readonly options: CookieSerializeOptions
}

/**
 * Over https, `Secure` and the prefix `__Host-`, which a browser only takes from this very host: no
 * neighbouring subdomain can plant one. `Lax`, not `Strict`: coming back from the identity provider
 * is a navigation from another site. No `Domain`, ever.
 */
export function cookiesFor(secure: boolean): Cookies {
  const prefix = secure ? '__Host-' : ''
  return {
    session: `${prefix}${cookieNames.session}`,
    login: `${prefix}${cookieNames.login}`,
    csrf: `${prefix}${cookieNames.csrf}`,
    options: { path: '/', httpOnly: true, sameSite: 'lax', secure },
  }
}
