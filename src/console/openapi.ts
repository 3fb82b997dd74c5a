import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problems } from '../core/reasons.ts'
import type { Access } from './access.ts'

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

/** Whatever the status is that is none of the route's own (`src/core/errors.ts`). */
const problem = {
  description: 'What went wrong, and what to do about it (RFC 9457).',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        properties: {
          type: {
            type: 'string',
            enum: Object.keys(problems).map((code) => `https://sallyport.dev/problems/${code}`),
          },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
        },
        required: ['type', 'title', 'status', 'detail'],
      },
    },
  },
}

/**
 * What a route says of itself, and what is true of all of them: who may call it, what it answers
 * where that is no JSON, and how it fails.
 */
export const describeRoute: typeof jsonSchemaTransform = (input) => {
  const { schema, url } = jsonSchemaTransform(input)
  if (schema.hide) return { schema, url }
  const access = input.route.config?.access
  const { produces = [], response } = schema
  const content = Object.fromEntries(produces.map((type) => [type, { schema: { type: 'string' } }]))
  const written = produces.length > 0 && { 200: { description: 'As it is written.', content } }
  const described: FastifySchema = {
    ...schema,
    description: [schema.description, callers(access)].filter(Boolean).join(' '),
    ...(access === 'public' && { security: [] }),
    response: { ...written, ...(response as object | undefined), default: problem },
  }
  return { schema: described, url }
}

function callers(access: Access | undefined): string {
  if (typeof access !== 'object') return access === 'public' ? '' : 'For people who are logged in.'
  const { roles, scope } = access
  const keys = scope === undefined ? '' : `, and for keys with the scope \`${scope}\``
  return `For people in the role ${roles.map((role) => `\`${role}\``).join(' or ')}${keys}.`
}

/** Instants, in ISO 8601. */
export const instant = z.iso.datetime({ offset: true })

export const party = z.object({ issuer: z.string(), subject: z.string() })
