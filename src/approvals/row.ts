import type { Approval } from './approval.ts'
import { reviveAction } from './revive.ts'

export const columns = `
  id, state, version, subject_key AS "subjectKey", resource, digest, binding, action, payload, decision,
  view_hash AS "viewHash", ran_before AS "ranBefore", connection, definitions, created_at AS "createdAt", expires_at AS "expiresAt",
  resolved_at AS "resolvedAt", resolution, holder_replica AS "holderReplica", holder_epoch AS "holderEpoch", holder_action AS "holderAction", outcome`

export type ApprovalRow = Omit<Approval, 'holder'> & {
  holderReplica: string | null
  holderEpoch: number | null
  holderAction: string | null
}

export function approvalOf({
  holderReplica,
  holderEpoch,
  holderAction,
  ...row
}: ApprovalRow): Approval {
  const holder =
    holderReplica === null || holderEpoch === null || holderAction === null
      ? null
      : { replica: holderReplica, epoch: holderEpoch, action: holderAction }
  return { ...row, action: reviveAction(row.action), holder }
}
