import { z } from 'zod'
import { useOnce } from '../../identity/used-once.ts'
import type { Queryable } from '../../store/db.ts'

/** In milliseconds. Longer than any token of Bot Framework is valid. */
const remembered = 2 * 86_400_000

const tenantId = z.string().toLowerCase()

const activitySchema = z.object({
  id: z.string().min(1),
  channelId: z.literal('msteams'),
  recipient: z.object({ id: z.string() }),
  from: z.object({ id: z.string(), tenantId: tenantId.nullish() }),
  conversation: z.object({ id: z.string().min(1), tenantId: tenantId.nullish() }),
  channelData: z.object({ tenant: z.object({ id: tenantId }) }),
})

/** The bot and the tenant that are set up here. */
export interface Ours {
  readonly tenant: string
  readonly app_id: string
}

/**
 * Why an activity is ignored although its token is valid, or `null`. All of it has to be about this
 * bot and this one tenant: a channel can be shared with another company, whose people can click
 * too. And each activity counts only once: the same token comes with many activities, so somebody
 * who has seen one could send it again. Closed: an activity that names no tenant is ignored.
 * Rejects with a `StoreError`.
 */
export async function objection(
  db: Queryable,
  { tenant, app_id }: Ours,
  activity: unknown,
): Promise<string | null> {
  const { data } = activitySchema.safeParse(activity)
  if (!data) return 'it is not an activity of Teams'
  const { id, recipient, from, conversation, channelData } = data
  // Teams puts `28:` before the id of a bot.
  if (recipient.id.toLowerCase() !== `28:${app_id}`) return 'it is meant for another bot'
  const tenants = [channelData.tenant.id, conversation.tenantId, from.tenantId]
  if (tenants.some((one) => one !== tenant && one !== undefined && one !== null))
    return 'it is about another tenant'
  const parts = ['teams', tenant, conversation.id, id]
  const isNew = await useOnce(db, parts, new Date(Date.now() + remembered))
  return isNew ? null : 'it has come before'
}
