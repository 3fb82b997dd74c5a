import { z } from 'zod'
import type { TransmitterConfig } from '../../config/schema.ts'
import { createEventReceiver, EventRefused, type EventDesk } from '../../identity/receive-events.ts'
import { IssuerUnavailable } from '../../identity/issuer-keys.ts'
import { Problem } from '../../core/errors.ts'
import { StoreError } from '../../store/db.ts'
import type { ControlServer } from '../context.ts'
import { inForce } from '../in-force.ts'

export interface SecurityEventDeps extends Omit<EventDesk, 'transmitters'> {
  readonly identity: { readonly events: readonly TransmitterConfig[] }
}

const limited = { access: 'public', rateLimit: { max: 600, timeWindow: '1 minute' } } as const

/**
 * Takes identity providers' events that a session or an account has ended (RFC 8935). Their
 * signature is what authenticates them.
 */
export async function securityEventRoutes(
  app: ControlServer,
  { identity, ...desk }: SecurityEventDeps,
): Promise<void> {
  const receiver = inForce(
    () => identity.events,
    (transmitters) => createEventReceiver({ transmitters, ...desk }),
  )
  app.addContentTypeParser(
    'application/secevent+jwt',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  )

  app.post(
    '/identity/events',
    {
      config: limited,
      schema: {
        summary: 'Takes a security event token: session-revoked (CAEP) or account-disabled (RISC)',
        consumes: ['application/secevent+jwt'],
        response: {
          202: z.null(),
          400: z.object({ err: z.string(), description: z.string() }),
        },
      },
    },
    async (request, reply) => {
      try {
        const type = request.headers['content-type'] ?? ''
        if (typeof request.body !== 'string' || !/^application\/secevent\+jwt *(;|$)/i.test(type))
          throw new EventRefused('invalid_request', 'Send application/secevent+jwt.')
        await receiver()(request.body)
        return await reply.code(202).send(null)
      } catch (error) {
        if (error instanceof EventRefused) {
          desk.log.warn({ err: error, code: error.code }, 'a security event was refused')
          return reply.code(400).send({ err: error.code, description: error.message })
        }
        if (!(error instanceof StoreError || error instanceof IssuerUnavailable)) throw error
        // The transmitter will send it again. Until then nobody is stopped, and it knows that.
        throw new Problem(
          'store-unavailable',
          'The event could not be looked at; send it again.',
          {},
          {
            cause: error,
          },
        )
      }
    },
  )
}
