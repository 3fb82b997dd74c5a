import type { Scope } from '../../../approvals/scope.ts'
import type { VoteDecision } from '../../../approvals/approval.ts'
import { call, type Failure } from '../api/call.ts'
import type { Approval, Me, ShownVote } from '../api/types.ts'

export interface Choice {
  readonly decision: VoteDecision
  readonly reason: string
  readonly scope: Scope
}

/** The vote that this person has cast already, if any. */
export function voteOf({ person }: Me, { requirements }: Approval): ShownVote | undefined {
  return requirements
    .flatMap(({ votes }) => votes)
    .find(({ issuer, subject }) => issuer === person.issuer && subject === person.subject)
}

/** Votes on exactly what was shown. Throws `Failure`. */
export async function castVote(
  { csrf_token: csrf }: Me,
  { id, action, view_hash }: Approval,
  { decision, reason, scope }: Choice,
): Promise<Approval> {
  const { body } = await call<Approval>(`/api/approvals/${id}/votes`, {
    method: 'POST',
    csrf,
    body: {
      decision,
      digest: action.digest,
      view_hash,
      reason: reason.trim() || null,
      scope,
    },
  })
  return body
}

/**
 * After these the approval on the page is not the one that the gateway has: it is fetched again.
 */
export function isStale({ code }: Failure): boolean {
  return code === 'already-resolved' || code === 'view-changed' || code === 'unreachable'
}
