import {
  insertNotices,
  linkedApprovers,
  type Announcement,
  type Purpose,
} from '../../approvals/outbox.ts'
import type { NewApproval } from '../../approvals/approval.ts'
import type { Requirement } from '../../core/decision.ts'
import type { Queryable } from '../../store/db.ts'

/** Where approvals are announced, as the configuration says it for rules that do not. */
export interface Announcing {
  /** Names of the channels that are set up: `slack`, `webhook:siem`. */
  readonly channels: readonly string[]
  readonly to: readonly string[]
  /** Milliseconds before the expiry. */
  readonly remindMs: number | undefined
  readonly escalate: { readonly afterMs: number; readonly to: readonly string[] } | undefined
}

/**
 * Writes down everything that is to be said about a new approval, in the transaction that opens it.
 */
export async function announce(
  tx: Queryable,
  approval: NewApproval,
  announcing: Announcing,
): Promise<void> {
  const all = announcementsOf(approval, announcing)
  await insertNotices(tx, approval.id, await withPeople(tx, approval, all))
}

/**
 * An emergency is told to every place that is known: those of its rules, those of the
 * configuration, and those that would have heard of it later.
 */
export async function announceEverywhere(
  tx: Queryable,
  approval: Pick<NewApproval, 'id' | 'decision'>,
  announcing: Announcing,
): Promise<void> {
  const { id, decision } = approval
  // Long ago, so at once, whatever the clocks say.
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

/** Everybody who may decide, and has linked an account in that chat: each is told by themselves. */
const approvers = '@approvers'

/**
 * The same, with people in the place of `@approvers`: those who are linked now, and are not behind
 * the action.
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
 * Over several rules everything adds up; a place that more than one of them names is told once, at
 * the earliest of their times.
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
      // A reminder at once, or an escalation after the end, would say nothing.
      .filter(({ purpose, due }) => purpose !== 'remind' || due > createdAt)
      .filter(({ purpose, due }) => purpose !== 'escalate' || due < expiresAt)
      .toSorted((a, b) => a.due.getTime() - b.due.getTime())
  )
}

function placesOf({ channels }: Requirement, { to }: Announcing): readonly string[] {
  return channels.length > 0 ? channels : to
}

/**
 * The console shows everything anyway. A channel that is not set up (any more) cannot be told: the
 * policies that name it were loaded when it was.
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
