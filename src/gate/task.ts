import { hasRun, type ApprovalState } from '../approvals/machine.ts'
import type { Standing } from '../approvals/standing.ts'
import { Problem } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'

/** The states of the AuthZEN Access Request and Approval profile, from ours. */
const statuses: Record<ApprovalState, string> = {
  pending: 'pending',
  approved: 'approved',
  dispatching: 'approved',
  succeeded: 'approved',
  failed: 'failed',
  unknown: 'failed',
  invalidated: 'failed',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
}

export function statusEndpoint(id: string): string {
  return `/access/v1/requests/${id}`
}

/** An approval as its agent sees it: how it stands, and nothing about who could decide. */
export function taskOf(approval: Standing): JsonObject {
  const { id, state, expiresAt, outcome, resolution } = approval
  return {
    id,
    status: statuses[state],
    status_endpoint: statusEndpoint(id),
    expires_at: expiresAt.toISOString(),
    ...(statuses[state] === 'failed' && { reason: state }),
    ...(state === 'denied' && resolution?.reason && { reason: resolution.reason }),
    ...(state === 'invalidated' && resolution?.reason && { detail: resolution.reason }),
    ...(outcome && { result: { outcome: { ...outcome } } }),
  }
}

/** Seconds after which asking again makes sense. */
export const retryAfter = 5

/** Why an attempt does not run, by the state of its approval. */
export function refusal(approval: Standing, action: string): Problem {
  const { id, state, decision, resolution } = approval
  const members = { action, reason: decision.reason, rules: decision.rules, task: taskOf(approval) }
  const said = resolution?.reason ? ` The approver said: ${resolution.reason}` : ''
  if (hasRun(state)) {
    const detail = `Approval ${id} has been used for one run of this action. Send the request without naming it to ask anew.`
    return new Problem('approval-used', detail, members)
  }
  switch (state) {
    case 'denied':
      return new Problem('approval-denied', `An approver denied this action.${said}`, members)
    case 'expired':
      return new Problem(
        'approval-expired',
        'Nobody approved this action in time. Send it again to ask anew.',
        members,
      )
    case 'cancelled':
      return new Problem('approval-cancelled', 'The request for approval was cancelled.', members)
    case 'invalidated':
      return new Problem(
        'approval-invalidated',
        `The approval is no longer valid.${resolution?.reason ? ` ${resolution.reason}` : ''} Send the request again to ask anew.`,
        members,
      )
    default:
      return new Problem(
        'approval-pending',
        `This action waits for approval ${id}. Ask ${statusEndpoint(id)}, and send the same request again once it is approved; or send it with Prefer: wait=N to wait on the connection.`,
        { ...members, retry_after: retryAfter },
      )
  }
}
