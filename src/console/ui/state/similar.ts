import { partyKey } from '../../../core/subject.ts'
import type { Approval } from '../api/types.ts'
import type { Approvals } from './inbox.ts'

const key = ({ action }: Approval) =>
  [action.subject, ...action.subject.chain].map(partyKey).join(' ') + ` on ${action.resource}`

/**
 * Other approvals of the same whole chain for the same resource, as far as this page has them:
 * identical ones first, then the latest.
 */
export function similarTo(approval: Approval, all: Approvals): Approval[] {
  const wanted = key(approval)
  const identical = ({ action }: Approval) => Number(action.digest === approval.action.digest)
  return [...all.values()]
    .filter((it) => it.id !== approval.id && key(it) === wanted)
    .toSorted(
      (a, b) => identical(b) - identical(a) || Date.parse(b.created_at) - Date.parse(a.created_at),
    )
}
