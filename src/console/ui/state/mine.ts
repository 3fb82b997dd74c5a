import { isEligible } from '../../../approvals/quorum.ts'
import { sameParty, type Party } from '../../../core/subject.ts'
import type { Approval, Me } from '../api/types.ts'
import { voteOf } from './vote.ts'

/**
 * Whether this person's vote is one of those that it waits for, as far as this page knows. To sort
 * by: the gateway looks wider (at other names of the same person), and has the last word.
 */
export function isMine(me: Me, approval: Approval): boolean {
  const { owner, chain, ...subject } = approval.action.subject
  const behind: readonly Party[] = [subject, ...chain]
  if (behind.some((party) => sameParty(party, me.person))) return false
  if (
    owner &&
    ('group' in owner ? me.person.groups.includes(owner.group) : sameParty(owner, me.person))
  )
    return false
  if (approval.state !== 'pending' || voteOf(me, approval)) return false
  return approval.requirements.some(({ from }) => isEligible(me.person, from))
}
