import { z } from 'zod'

/**
 * The few members that are read of what Slack sends. A request that lacks one of them counts as no
 * vote.
 */
const clicked = z.object({
  team: z.object({ id: z.string() }),
  user: z.object({ id: z.string(), name: z.string().optional(), team_id: z.string().optional() }),
  trigger_id: z.string(),
  container: z.object({ channel_id: z.string(), message_ts: z.string() }),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
})

const submitted = z.object({
  team: z.object({ id: z.string() }),
  user: z.object({ id: z.string(), name: z.string().optional(), team_id: z.string().optional() }),
  view: z.object({
    private_metadata: z.string(),
    state: z.object({
      values: z.object({
        reason: z.object({ text: z.object({ value: z.string().nullish() }) }),
      }),
    }),
  }),
})

export type Clicked = z.output<typeof clicked>
export type Submitted = z.output<typeof submitted>

export const readClick = (body: unknown): Clicked | null => clicked.safeParse(body).data ?? null
export const readSubmission = (body: unknown): Submitted | null =>
  submitted.safeParse(body).data ?? null

const teams = z.object({
  team: z.object({ id: z.string() }).nullish(),
  team_id: z.string().nullish(),
  user: z.object({ team_id: z.string().nullish() }).nullish(),
})

/**
 * Whether all of it is about this one workspace. In a channel that is shared with another company,
 * its people can click too: their own team is in `user.team_id`. Closed: a request that names no
 * team is not of this one.
 */
export function isOfTeam(body: unknown, team: string): boolean {
  const { data } = teams.safeParse(body)
  const named = [data?.team?.id, data?.team_id, data?.user?.team_id].filter(
    (id) => id !== undefined && id !== null,
  )
  return named.length > 0 && named.every((id) => id === team)
}
