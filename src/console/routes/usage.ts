import { z } from 'zod'
import { usageOf } from '../../audit/usage.ts'
import { Problem } from '../../core/errors.ts'
import type { Store } from '../../store/db.ts'
import { instant } from '../openapi.ts'
import type { ControlServer } from '../context.ts'

const day = 86_400_000
const longest = 366 * day

const time = z.iso
  .datetime({ offset: true })
  .or(z.iso.date())
  .transform((text) => new Date(text))
  .optional()

const question = z.strictObject({
  by: z.enum(['subject', 'resource']),
  from: time.describe('at or after; RFC 3339, or a day in UTC; 24 hours before `to` if left out'),
  to: time.describe('before; now if left out'),
  subject: z.string().optional().describe('only of this subject'),
  resource: z.string().optional().describe('only on this resource'),
})

const stretch = z.object({
  at: instant.describe('where the stretch of time begins'),
  name: z.string().nullable().describe('null: all others together'),
  actions: z.number(),
  denied: z.number(),
  held: z.number(),
  rows: z.number(),
  bytes: z.number().describe('of the answers’ bodies'),
})

const report = z.object({
  by: z.enum(['subject', 'resource']),
  from: instant,
  to: instant,
  step_seconds: z.number(),
  counted_from: instant
    .nullable()
    .describe('actions before it are left out, since there are too many; null: all are counted'),
  usage: z.array(stretch),
})

/** Who touched which data, from the audit log. */
export async function usageRoutes(app: ControlServer, { store }: { store: Store }): Promise<void> {
  app.get(
    '/api/usage',
    {
      config: { access: { roles: ['auditor'], scope: 'audit:read' } },
      schema: {
        summary: 'Actions, rows and bytes over time',
        querystring: question,
        response: { 200: report },
      },
    },
    async ({ query: { by, subject, resource, to = new Date(), ...asked } }) => {
      const { from = new Date(to.getTime() - day) } = asked
      const span = to.getTime() - from.getTime()
      if (span <= 0) throw new Problem('bad-request', '`from` has to be before `to`.')
      if (span > longest) throw new Problem('bad-request', 'A range has at most 366 days.')
      const { step, countedFrom, usage } = await usageOf(store, {
        by,
        from,
        to,
        ...(subject !== undefined && { subject }),
        ...(resource !== undefined && { resource }),
      })
      return {
        by,
        from: from.toISOString(),
        to: to.toISOString(),
        step_seconds: step,
        counted_from: countedFrom?.toISOString() ?? null,
        usage: usage.map((one) => ({ ...one, at: one.at.toISOString() })),
      }
    },
  )
}
