import { z } from 'zod'
import { personOf } from '../caller.ts'
import { csrfToken } from '../csrf.ts'
import { instant, party } from '../openapi.ts'
import type { ControlServer } from '../context.ts'

const me = z.object({
  person: party.extend({
    name: z.string(),
    email: z.string().nullable(),
    groups: z.array(z.string()),
  }),
  roles: z.array(z.enum(['approver', 'auditor', 'admin'])),
  csrf_token: z
    .string()
    .nullable()
    .describe('to be sent back in X-CSRF-Token; null without a session'),
  session: z.object({ expires_at: instant }).nullable(),
})

/** Who is logged in. */
export async function meRoutes(app: ControlServer): Promise<void> {
  app.get(
    '/api/me',
    {
      config: { access: 'person' },
      schema: { summary: 'Who you are here', response: { 200: me } },
    },
    async (request, reply) => {
      const { issuer, subject, name, email, groups } = personOf(request)
      const { caller } = request
      const session = caller?.kind === 'person' ? caller.session : null
      return {
        person: { issuer, subject, name, email, groups: [...groups] },
        roles: caller?.kind === 'person' ? [...caller.roles] : [],
        csrf_token: session && csrfToken(request, reply),
        session: session && { expires_at: session.expiresAt.toISOString() },
      }
    },
  )
}
