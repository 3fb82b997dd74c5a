import { z } from 'zod'
import { channelHealth } from '../../approvals/outbox.ts'
import type { GateContext } from '../../gate/context.ts'
import { instant } from '../openapi.ts'
import type { ControlServer } from '../context.ts'

const channel = z.object({
  name: z.string().describe('slack, teams, webhook:siem'),
  waiting: z.int().describe('messages that are due and not delivered'),
  oldest: instant.nullable().describe('since when the longest of them waits'),
  last_success: instant.nullable(),
  last_failure: instant.nullable(),
  last_error: z
    .string()
    .nullable()
    .describe('of the last failure, in words; it may have succeeded since'),
})

/** The state of the channels, for people who wait for a message. */
export async function channelRoutes(
  app: ControlServer,
  { gate }: { gate: GateContext },
): Promise<void> {
  app.get(
    '/api/channels',
    {
      config: { access: { roles: ['approver', 'auditor', 'admin'] } },
      schema: {
        summary: 'How the channels are that approvals are announced in, on all replicas together',
        response: { 200: z.object({ channels: z.array(channel) }) },
      },
    },
    async () => {
      const channels = await channelHealth(gate.store, gate.announcing.channels)
      return {
        channels: channels.map(({ channel: name, waiting, lastError, ...times }) => ({
          name,
          waiting,
          oldest: times.oldest?.toISOString() ?? null,
          last_success: times.lastSuccess?.toISOString() ?? null,
          last_failure: times.lastFailure?.toISOString() ?? null,
          last_error: lastError,
        })),
      }
    },
  )
}
