import { z } from 'zod'
import type { ControlServer } from '../context.ts'

const resource = z.object({
  name: z.string(),
  protocol: z.enum(['http', 'postgres']),
  host: z.string().nullable().describe('null: that of the control plane, as whoever asks knows it'),
  port: z.int(),
  tls: z.boolean(),
  prefix: z.string().nullable().describe('of its paths; null for one that has a host of its own'),
  databases: z.array(z.string()).describe('that may be connected to; none over HTTP'),
})

/** A resource, and where it is reached. */
export type ReachableResource = z.output<typeof resource>

/**
 * The resources behind the gateway, for people who want to use them. What they may do there, the
 * policies decide.
 */
export async function resourceRoutes(
  app: ControlServer,
  { resources }: { resources: () => ReachableResource[] },
): Promise<void> {
  app.get(
    '/api/resources',
    {
      config: { access: 'person' },
      schema: {
        summary: 'The resources of this gateway, and where they are reached',
        response: { 200: z.object({ resources: z.array(resource) }) },
      },
    },
    async () => ({ resources: resources() }),
  )
}
