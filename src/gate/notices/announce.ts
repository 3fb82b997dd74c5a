import {
  insertNotices,
  linkedApprovers,
  type Announcement,
  type Purpose,
} from '../../approvals/outbox.ts'
import type { NewApproval } from '../../approvals/approval.ts'
import type { Requirement } from '../../core/decision.ts'
import type { Queryable } from '../../store/db.ts'

/** Where approvals are announced by the configuration, for rules that do not say. */
export interface Announcing {
  /** Names of the channels that are set up: `slack`, `webhook:siem`. */
  readonly channels: readonly string[]
  readonly to: readonly string[]
  /** Milliseconds before the expiry at which a reminder is sent. */
  readonly remindMs: number | undefined
  readonly escalate: { readonly afterMs: number; readonly to: readonly string[] } | undefined
}

/** Writes down all notices of a new approval, in the transaction that opens it. */
export async function announce(
  tx: Queryable,
  approval: NewApproval,
  announcing: Announcing,
): Promise<void> {
  const all = announcementsOf(approval, announcing)
  await insertNotices(tx, approval.id, await withPeople(tx, approval, all))
}

/**
 * Announces an emergency in every known place: those of its rules, those of the configuration, and
 * those that would only have been told later.
 */
export async function announceEverywhere(
  tx: Queryable,
  approval: Pick<NewApproval, 'id' | 'decision'>,
  announcing: Announcing,
): Promise<void> {
  const { id, decision } = approval
  // In the distant past, so that it is due at once whatever the clocks say.
  const due = new Date(0)
  const places = [
    ...announcing.to,
    ...(announcing.escalate?.to ?? []),
    ...decision.requirements.flatMap(({ channels, escalate }) => [
      ...channels,
      ...(escalate?.to ?? []),
    ]),
  ]
  const all = at(places, 'announce', due, announcing)
  await insertNotices(tx, id, await withPeople(tx, approval, all))
}

/**
 * The place that stands for everybody who may decide and has linked an account in that chat. Each
 * is told individually.
 */
const approvers = '@approvers'

/**
 * Replaces `@approvers` by the people who have linked an account by now and are not behind the
 * action.
 */
async function withPeople(
  tx: Queryable,
  { id, decision }: Pick<NewApproval, 'id' | 'decision'>,
  all: readonly Announcement[],
): Promise<Announcement[]> {
  const expanded = all.map(async (announcement) => {
    if (announcement.target !== approvers) return [announcement]
    const offers = decision.requirements.map(({ from }) => from)
    const members = await linkedApprovers(tx, announcement.channel, id, offers)
    return members.map((member) => ({ ...announcement, target: `@${member}` }))
  })
  return (await Promise.all(expanded)).flat()
}

/**
 * The announcements of all rules together, earliest first. A place that several rules name is told
 * once, at the earliest time.
 */
function announcementsOf(
  { decision, createdAt, expiresAt }: NewApproval,
  announcing: Announcing,
): Announcement[] {
  const all = decision.requirements.flatMap((requirement) => {
    const to = placesOf(requirement, announcing)
    const remindMs = requirement.remindMs ?? announcing.remindMs
    const escalate = requirement.escalate ?? announcing.escalate
    return [
      ...at(to, 'announce', createdAt, announcing),
      ...(remindMs === undefined
        ? []
        : at(to, 'remind', new Date(expiresAt.getTime() - remindMs), announcing)),
      ...(escalate
        ? at(escalate.to, 'escalate', new Date(createdAt.getTime() + escalate.afterMs), announcing)
        : []),
    ]
  })
  return (
    all
      // An immediate reminder, or an escalation after the expiry, would be pointless.
      .filter(({ purpose, due }) => purpose !== 'remind' || due > createdAt)
      .filter(({ purpose, due }) => purpose !== 'escalate' || due < expiresAt)
      .toSorted((a, b) => a.due.getTime() - b.due.getTime())
  )
}

function placesOf({ channels }: Requirement, { to }: Announcing): readonly string[] {
  return channels.length > 0 ? channels : to
}

/**
 * Places in channels that are not set up are left out: the policies may have been loaded when they
 * were, and the console shows everything anyway.
 */
function at(
  places: readonly string[],
  purpose: Purpose,
  due: Date,
  { channels }: Announcing,
): Announcement[] {
  return places.flatMap((place) => {
    const channel = channels.find((name) => place === name || place.startsWith(`${name}:`))
    if (channel === undefined) return []
    return [{ channel, target: place.slice(channel.length + 1), purpose, due }]
  })
}
