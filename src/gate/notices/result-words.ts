import type { Approval, Vote } from '../../approvals/approval.ts'
import { visible } from '../../core/visible.ts'

/** Who decided, how and why, in one sentence; `null` while nobody has. */
export function verdictOf({ state, resolution }: Approval, votes: readonly Vote[]): string | null {
  const reason = resolution?.reason ? `: ${visible(resolution.reason)}` : ''
  switch (state) {
    case 'pending':
      return null
    case 'denied':
      return `Denied by ${namesOf(votes, 'deny')}${reason}`
    case 'expired':
      return 'Expired: nobody decided in time'
    case 'cancelled':
      return `Cancelled by ${visible(resolution?.by?.subject ?? 'the gateway')}${reason}`
    case 'invalidated':
      return `No longer valid${reason}`
    default: {
      const alone = votes.some(({ decision }) => decision === 'break_glass')
      return alone
        ? `Released alone, in an emergency, by ${namesOf(votes, 'break_glass')}${reason}`
        : `Approved by ${namesOf(votes, 'approve')}`
    }
  }
}

function namesOf(votes: readonly Vote[], decision: Vote['decision']): string {
  return visible(
    votes
      .filter((vote) => vote.decision === decision)
      .map(({ name }) => name)
      .join(', '),
  )
}

/** What became of the run, in a few words; `null` before it has ended. */
export function outcomeOf({ state, outcome }: Approval): string | null {
  switch (state) {
    case 'succeeded':
    case 'failed': {
      const status = outcome?.status === undefined ? '' : `, status ${outcome.status}`
      const error = outcome?.error === undefined ? '' : `, ${outcome.error}`
      return `The run ${state}${status}${error}`
    }
    case 'unknown':
      return 'Nobody knows what became of the run: it may have had its effect'
    default:
      return null
  }
}
