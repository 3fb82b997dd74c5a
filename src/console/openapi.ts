import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { z } from 'zod'

export const apiDescription: FastifyDynamicSwaggerOptions['openapi'] = {
  openapi: '3.1.0',
  info: {
    title: 'Sallyport control plane',
    description: 'Approvals, audit and keys. Errors are problem details (RFC 9457).',
    version: '1',
  },
  components: {
    securitySchemes: {
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'sallyport',
        description:
          'Of a person who has logged in; over https its name starts with __Host-. Requests that change something carry X-CSRF-Token.',
      },
      token: {
        type: 'http',
        scheme: 'bearer',
        description: 'A person’s own token, from `sallyport login`, or a key with a scope.',
      },
    },
  },
  security: [{ session: [] }, { token: [] }],
}

/** Instants, in ISO 8601. */
export const instant = z.iso.datetime({ offset: true })

export const party = z.object({ issuer: z.string(), subject: z.string() })
