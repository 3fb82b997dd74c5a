import type { FastifyHelmetOptions } from '@fastify/helmet'

/**
 * What a browser may do with our answers: run and show what comes from here, talk to here, and
 * nothing else. No page of another site may frame the console: one that did could put its own words
 * around the button that approves.
 */
export function securityHeaders(secure: boolean): FastifyHelmetOptions {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    // `no-referrer` would take the origin out of our own pages' requests, too, and that is what
    // tells them from forged ones.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: secure && { maxAge: 31_536_000, includeSubDomains: false },
  }
}
