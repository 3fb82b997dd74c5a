import type { ApprovalState } from '../../../approvals/machine.ts'
import type { Approval } from '../api/types.ts'

export type Approvals = ReadonlyMap<string, Approval>

/**
 * How far along its life a state is (approvals/machine.ts): `unknown` may still become one of the
 * last.
 */
const progress = (state: ApprovalState): number =>
  ({ pending: 0, approved: 1, dispatching: 2, unknown: 3 })[state as string] ?? 4

const votesOn = (approval: Approval) =>
  approval.requirements.reduce((sum, { votes }) => sum + votes.length, 0)

/** The later of two pictures of one approval: the list and the stream can overtake each other. */
export function later(a: Approval, b: Approval): Approval {
  const difference = progress(a.state) - progress(b.state) || votesOn(a) - votesOn(b)
  return difference > 0 ? a : b
}

export function merge(known: Approvals, news: Iterable<Approval>): Approvals {
  const merged = new Map(known)
  for (const approval of news) {
    const old = merged.get(approval.id)
    merged.set(approval.id, old ? later(old, approval) : approval)
  }
  return merged
}

/**
 * Waiting for people; what expires first comes first. By their texts: instants of the gateway are
 * all in one form, in UTC.
 */
export function pending(approvals: Approvals): Approval[] {
  return [...approvals.values()]
    .filter(({ state }) => state === 'pending')
    .toSorted((a, b) => (a.expires_at < b.expires_at ? -1 : 1))
}

const decidedAt = ({ resolved_at, created_at }: Approval) => Date.parse(resolved_at ?? created_at)

/** No longer waiting; the latest decision first. */
export function decided(approvals: Approvals, limit: number): Approval[] {
  return [...approvals.values()]
    .filter(({ state }) => state !== 'pending')
    .toSorted((a, b) => decidedAt(b) - decidedAt(a))
    .slice(0, limit)
}
