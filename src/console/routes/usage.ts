import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { Store } from '../../store/db.ts'
import { dimensions, firstUsesBetween, usageOf } from '../../usage/report.ts'
import { instant } from '../openapi.ts'
import type { ControlServer } from '../context.ts'

const day = 86_400_000
const longest = 366 * day

const time = z.iso
  .datetime({ offset: true })
  .or(z.iso.date())
  .transform((text) => new Date(text))
  .optional()

// No name contains NUL, and the database does not accept it in texts.
const name = z
  .string()
  .refine((text) => !text.includes('\0'), 'No name has a NUL in it.')
  .optional()

const range = {
  from: time.describe('at or after; RFC 3339, or a day in UTC; 24 hours before `to` if left out'),
  to: time.describe('before; now if left out'),
  subject: name.describe('only of this subject'),
  resource: name.describe('only on this resource'),
}

const question = z.strictObject({
  by: z.enum(dimensions),
  ...range,
  dataset: name.describe('only what touched this data set'),
  class: name.describe('only what touched data of this class'),
  model: name.describe('only what this model answered'),
})

const count = z.number()

const stretch = z.object({
  at: instant.describe('where the stretch of time begins'),
  name: z.string().nullable().describe('null: all others together'),
  actions: count.describe('decided; by model, those that ran'),
  denied: count,
  held: count,
  runs: count.describe('ran, and ended'),
  rows: count,
  bytes: count.describe('of the answers’ bodies'),
  tokens_in: count,
  tokens_out: count,
  tokens_cached: count.describe('of tokens_in, those that came from a cache'),
})

const report = z.object({
  by: z.enum(dimensions),
  from: instant,
  to: instant,
  step_seconds: count,
  counted_until: instant
    .nullable()
    .describe('what came after it may not be counted yet; null: nothing is'),
  usage: z.array(stretch),
})

const firsts = z.object({
  first_uses: z.array(
    z.object({
      at: instant,
      issuer: z.string(),
      subject: z.string(),
      resource: z.string(),
      item: z.string().describe('`table public.orders`, `dataset customers`, `class pii`'),
      action: z.string().describe('id of the action that did it'),
    }),
  ),
})

const access = { roles: ['auditor'], scope: 'audit:read' } as const

/**
 * Who used which data. It comes from counts that follow the audit log, so that no chart has to
 * search the log.
 */
export async function usageRoutes(app: ControlServer, { store }: { store: Store }): Promise<void> {
  app.get(
    '/api/usage',
    {
      config: { access },
      schema: {
        summary: 'Actions, rows, bytes and tokens over time',
        querystring: question,
        response: { 200: report },
      },
    },
    async ({ query }) => {
      const filter = { ...query, ...spanOf(query) }
      const { step, countedUntil, usage } = await usageOf(store, filter)
      return {
        by: filter.by,
        from: filter.from.toISOString(),
        to: filter.to.toISOString(),
        step_seconds: step,
        counted_until: countedUntil?.toISOString() ?? null,
        usage: usage.map((one) => ({ ...one, at: one.at.toISOString() })),
      }
    },
  )

  app.get(
    '/api/usage/first',
    {
      config: { access },
      schema: {
        summary: 'What subjects touched for the first time, the newest first, a hundred at most',
        querystring: z.strictObject(range),
        response: { 200: firsts },
      },
    },
    async ({ query }) => {
      const uses = await firstUsesBetween(store, { ...query, ...spanOf(query) })
      return { first_uses: uses.map((use) => ({ ...use, at: use.at.toISOString() })) }
    },
  )
}

function spanOf({
  from: asked,
  to = new Date(),
}: {
  from?: Date | undefined
  to?: Date | undefined
}) {
  const from = asked ?? new Date(to.getTime() - day)
  const span = to.getTime() - from.getTime()
  if (span <= 0) throw new Problem('bad-request', '`from` has to be before `to`.')
  if (span > longest) throw new Problem('bad-request', 'A range has at most 366 days.')
  return { from, to }
}
