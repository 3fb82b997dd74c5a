import { useState } from 'preact/hooks'
import { mayBreakGlass } from '../../../approvals/break-glass.ts'
import { Failure } from '../api/call.ts'
import type { Approval, Me } from '../api/types.ts'
import { castVote, isStale, voteOf, type Choice } from '../state/vote.ts'
import { states } from '../text/words.ts'
import { Ballot } from './ballot.tsx'
import { BreakGlass } from './break-glass.tsx'
import { FailureNotice, Notice } from './notice.tsx'

interface DecideProps {
  approval: Approval
  me: Me
  complete: boolean
  take: (approval: Approval) => void
  /** Fetches the approval again. */
  refresh: () => void
  /** The session is over, or its CSRF token: asks who is logged in. */
  askSession: () => void
}

/**
 * Where it stands and, while this person can still vote, the buttons, with what came of pressing
 * one next to them.
 */
export function Decide({ approval, me, complete, take, refresh, askSession }: DecideProps) {
  const [sending, setSending] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)

  const vote = async (choice: Choice) => {
    setSending(true)
    setFailure(null)
    try {
      take(await castVote(me, approval, choice))
    } catch (error) {
      const known = Failure.from(error)
      setFailure(known)
      if (isStale(known)) refresh()
      if (known.code === 'unauthenticated' || known.code === 'csrf-failed') askSession()
    } finally {
      setSending(false)
    }
  }

  const { state } = approval
  const mine = voteOf(me, approval)
  const mineInWords = mine?.decision === 'approve' ? 'You approved this.' : 'You denied this.'
  return (
    <div class="decide">
      <div role="status">
        {state === 'pending' && mine && (
          <Notice tone="good" title={mineInWords}>
            <p>It waits for others still.</p>
          </Notice>
        )}
        {state !== 'pending' && (
          <Notice tone={states[state].tone} title={states[state].word}>
            <p>{states[state].says}</p>
          </Notice>
        )}
      </div>
      {state === 'pending' && !mine && (
        <Ballot
          approval={approval}
          complete={complete}
          sending={sending}
          vote={(choice) => void vote(choice)}
        />
      )}
      {state === 'pending' && mayBreakGlass(me.person, approval.break_glass) && (
        <BreakGlass
          complete={complete}
          sending={sending}
          release={(reason) => void vote({ decision: 'break_glass', reason, scope: 'once' })}
        />
      )}
      {failure && <FailureNotice failure={failure} />}
    </div>
  )
}
