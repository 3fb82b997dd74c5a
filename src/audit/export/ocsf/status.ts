import type { JsonObject } from '../../../core/json.ts'
import { classes, type Kind } from './kinds.ts'
import { text, type Recorded } from './recorded.ts'

/**
 * What came of the event, and what the gateway did about it (OCSF 1.8, profile `security_control`).
 */
export function statusOf(event: Recorded, kind: Kind): JsonObject {
  const { decision, enforced, reason, outcome } = event
  const result = text(outcome?.['result'])
  const detail = text(outcome?.['error']) ?? reason
  return {
    ...status(kind.failed ? 'failed' : (result ?? decision)),
    ...(detail !== undefined && { status_detail: detail }),
    ...(isControlled(event, kind) && disposition(decision!, enforced !== false)),
  }
}

/** Whether the profile applies. Identity and Access Management has no place for it. */
export function isControlled({ decision }: Recorded, kind: Kind): boolean {
  return decision !== undefined && classes[kind.class].category !== 3
}

function status(what: string | undefined): JsonObject {
  switch (what) {
    case 'failed':
    case 'deny':
      return { status_id: 2, status: 'Failure' }
    case 'unknown':
      return { status_id: 0, status: 'Unknown' }
    case 'hold':
      return { status_id: 99, status: 'Held' }
    default:
      return { status_id: 1, status: 'Success' }
  }
}

function disposition(decision: string, enforced: boolean): JsonObject {
  // It ran whatever was decided, because the resource is only observed.
  if (!enforced)
    return { action_id: 3, action: 'Observed', disposition_id: 17, disposition: 'Logged' }
  switch (decision) {
    case 'allow':
      return { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' }
    case 'deny':
      return { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' }
    default:
      return { action_id: 99, action: 'Held', disposition_id: 99, disposition: 'Held' }
  }
}

/** OCSF's scale: 1 informational, 2 low, 3 medium, 4 high, 5 critical. */
export function severityOf({ type, decision, outcome }: Recorded, kind: Kind): JsonObject {
  if (type === 'approval.broken_glass') return { severity_id: 4, severity: 'High' }
  if (kind.failed || decision === 'deny' || outcome?.['result'] === 'unknown') {
    return { severity_id: 3, severity: 'Medium' }
  }
  return { severity_id: 1, severity: 'Informational' }
}
