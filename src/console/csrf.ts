import csrfProtection from '@fastify/csrf-protection'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../core/errors.ts'
import type { Cookies } from './cookies.ts'

export interface CsrfOptions {
  readonly cookies: Cookies
  /** HMAC key of the tokens. */
  readonly key: Buffer
  /** Scheme, host and port that people see; `null` when it is whatever they typed. */
  readonly origin: string | null
}

/**
 * Another site can make a browser send a request with our cookie. So whatever changes something and
 * is allowed because of the cookie has to come from our own pages, twice proven: by the browser's
 * word on where it comes from, and by a token that only our pages can read, bound to the session.
 * Requests with a token in `Authorization` need none of it: no browser sends that by itself.
 */
export async function refuseForgedRequests(
  app: FastifyInstance,
  { cookies, key, origin }: CsrfOptions,
): Promise<void> {
  await app.register(csrfProtection, {
    sessionPlugin: '@fastify/cookie',
    cookieKey: cookies.csrf,
    cookieOpts: { ...cookies.options, sameSite: 'strict', signed: true },
    csrfOpts: { userInfo: true, hmacKey: key },
    getUserInfo: sessionId,
    getToken: ({ headers }) => String(headers['x-csrf-token'] ?? ''),
  })

  app.addHook('onRequest', (request, reply, done) => {
    if (!needsProof(request)) return done()
    if (!fromOurPages(request, origin)) {
      return done(
        new Problem('csrf-failed', 'This request was not sent by a page of this console.'),
      )
    }
    app.csrfProtection(request, reply, done)
  })
}

/** The token that pages have to send back in `X-CSRF-Token`. */
export function csrfToken(request: FastifyRequest, reply: FastifyReply): string {
  return reply.generateCsrf({ userInfo: sessionId(request) })
}

function needsProof({ caller, method }: FastifyRequest): boolean {
  const reads = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  return !reads && caller?.kind === 'person' && caller.session !== null
}

/**
 * Fetch Metadata where the browser has it, else `Origin` (RFC 6454, §7). Neither is closed:
 * browsers send one of them.
 */
function fromOurPages({ headers }: FastifyRequest, expected: string | null): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin, host } = headers
  if (origin === undefined || !URL.canParse(origin)) return false
  return expected === null ? new URL(origin).host === host : origin === expected
}

function sessionId({ caller }: FastifyRequest): string {
  return (caller?.kind === 'person' && caller.session?.id) || ''
}
