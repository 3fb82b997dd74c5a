import { z } from 'zod'
import { scopeSchema } from '../../approvals/scope.ts'
import { reasonInput, verbs } from './elements.ts'

const ballot = z.strictObject({
  approval: z.uuid(),
  digest: z.string(),
  view: z.string(),
  scope: scopeSchema,
})

const reason = z
  .string()
  .max(2000)
  .nullish()
  .transform((text) => text?.trim() || null)

/**
 * The few members that are read of a click. An activity that lacks one of them counts as no vote.
 */
const clicked = z.object({
  from: z.object({ aadObjectId: z.uuid().toLowerCase(), name: z.string().optional() }),
  conversation: z.object({ id: z.string() }),
  replyToId: z.string(),
  serviceUrl: z.string(),
  value: z.object({
    action: z.discriminatedUnion('verb', [
      z.object({
        verb: z.literal(verbs.approve),
        data: z.object({ ballot, [reasonInput.approve]: reason }),
      }),
      z.object({
        verb: z.literal(verbs.deny),
        data: z.object({ ballot, [reasonInput.deny]: reason }),
      }),
    ]),
  }),
})

/** Who clicked which button of which message. */
export interface Click {
  readonly clicker: { readonly id: string; readonly name: string }
  readonly decision: 'approve' | 'deny'
  readonly ballot: z.output<typeof ballot>
  readonly reason: string | null
  readonly message: Message
}

/** The ids by which Teams knows one of our messages. */
export interface Message {
  readonly conversation: string
  readonly activity: string
}

/** `null` for anything that does not come from one of our cards. */
export function readClick(activity: unknown): Click | null {
  const { data } = clicked.safeParse(activity)
  if (!data) return null
  const { from, conversation, replyToId, value } = data
  const { verb, data: sent } = value.action
  return {
    clicker: { id: from.aadObjectId, name: from.name ?? from.aadObjectId },
    ...(verb === verbs.approve
      ? { decision: 'approve', reason: sent[reasonInput.approve] ?? null }
      : { decision: 'deny', reason: sent[reasonInput.deny] ?? null }),
    ballot: sent.ballot,
    message: { conversation: withoutThread(conversation.id), activity: replyToId },
  }
}

/** Removes the thread, which Teams adds to the id of a conversation in a channel. */
export const withoutThread = (conversation: string): string => conversation.split(';')[0]!

const placed = z.object({
  type: z.string(),
  action: z.string().optional(),
  serviceUrl: z.string(),
  recipient: z.object({ id: z.string() }),
  // Optional, since an activity about a team may not come from a person.
  from: z.object({ aadObjectId: z.uuid().toLowerCase().optional().catch(undefined) }),
  conversation: z.object({ id: z.string(), conversationType: z.string().optional() }),
  membersAdded: z.array(z.object({ id: z.string() })).prefault([]),
  membersRemoved: z.array(z.object({ id: z.string() })).prefault([]),
  channelData: z.object({
    eventType: z.string().optional(),
    team: z.object({ id: z.string(), name: z.string().optional() }).optional(),
  }),
})

export type Placed = z.output<typeof placed>

export const readPlaced = (activity: unknown): Placed | null =>
  placed.safeParse(activity).data ?? null
