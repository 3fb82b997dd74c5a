import { z } from 'zod'
import { deliveryHealth } from '../../audit/delivery/health.ts'
import { unreadableEvents } from '../../audit/unreadable.ts'
import type { Store } from '../../store/db.ts'
import type { ControlServer } from '../context.ts'
import { instant } from '../openapi.ts'

const delivery = z.object({
  name: z.string(),
  to: z.string().describe('where, without secrets'),
  format: z.string(),
  personal: z.boolean().describe('`false`: without what can be erased'),
  state: z
    .enum(['failing', 'delivering', 'waiting', 'current'])
    .describe(
      'the last batch failed; one is under way; events wait for the next; everything is there',
    ),
  cursor: z.int().describe('index in the log of the next event to deliver'),
  lag: z.object({
    events: z.int().describe('events that are signed and not delivered'),
    since: instant.nullable().describe('since when the first of them is in the log'),
  }),
  failures: z.int().describe('since the last success'),
  next_try: instant.nullable(),
  last_success: instant.nullable(),
  last_failure: instant.nullable(),
  last_error: z
    .string()
    .nullable()
    .describe('of the last failure, in words; it may have succeeded since'),
})

const unreadable = z
  .object({
    events: z.int(),
    newest: z.array(z.string()).readonly().describe('ids of some, those found last first'),
  })
  .describe('events in the log that are none: somebody put something else in their place')

/** The state of the deliveries of the audit log. */
export async function deliveryRoutes(
  app: ControlServer,
  { store, names }: { store: Store; names: readonly string[] },
): Promise<void> {
  app.get(
    '/api/audit/deliveries',
    {
      config: { access: { roles: ['auditor', 'admin'], scope: 'audit:read' } },
      schema: {
        summary: 'How far the audit log is delivered, by all replicas together',
        response: { 200: z.object({ deliveries: z.array(delivery), unreadable }) },
      },
    },
    async () => {
      const deliveries = await deliveryHealth(store, names)
      return {
        deliveries: deliveries.map(({ lag, waitingSince, active, failures, ...it }) => ({
          ...{ name: it.name, to: it.to, format: it.format, personal: it.personal },
          state: stateOf(lag, active, failures),
          cursor: it.cursor,
          lag: { events: lag, since: waitingSince?.toISOString() ?? null },
          failures,
          next_try: it.nextTry?.toISOString() ?? null,
          last_success: it.lastSuccess?.toISOString() ?? null,
          last_failure: it.lastFailure?.toISOString() ?? null,
          last_error: it.lastError,
        })),
        unreadable: await unreadableEvents(store),
      }
    },
  )
}

function stateOf(
  lag: number,
  active: boolean,
  failures: number,
): z.output<typeof delivery>['state'] {
  if (failures > 0) return 'failing'
  if (active) return 'delivering'
  return lag > 0 ? 'waiting' : 'current'
}
