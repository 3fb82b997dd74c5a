import { useId, useState } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { offeredGrants, type OfferedGrant } from '../state/grant.ts'
import type { Choice } from '../state/vote.ts'
import { count } from '../text/count.ts'
import { Data } from './data.tsx'
import { showNextUnshown } from './stretch.tsx'

interface BallotProps {
  approval: Approval
  /** Whether the whole action has been on the screen: what was not shown cannot be approved. */
  complete: boolean
  sending: boolean
  vote: (choice: Choice) => void
}

interface GrantWordsProps {
  grant: OfferedGrant
  action: Approval['action']
}

/** What is granted beyond this one run, in words: nobody grants what they were not told. */
function GrantWords({ grant: { session, minutes, same }, action }: GrantWordsProps) {
  const { subject, resource } = action
  return (
    <p class="fine">
      Its rule also allows a grant:{' '}
      {session ? (
        <>
          until this session of <Data text={subject.subject} /> with {resource} ends, and for{' '}
          {duration(minutes)} at most, the agent may run in it,
        </>
      ) : (
        `for ${duration(minutes)} the agent may run,`
      )}{' '}
      without asking again,{' '}
      {same.length === 0 ? (
        'exactly this request.'
      ) : (
        <>
          every request with the same{' '}
          {same.map(({ name, value }, i) => (
            <>
              {i > 0 && ', '}
              {name}{' '}
              <code class="value">
                <Data text={value} />
              </code>
            </>
          ))}
          .
        </>
      )}
    </p>
  )
}

const scopeOf = ({ session, minutes }: OfferedGrant): Choice['scope'] =>
  session ? { session } : { minutes }

/** Whole hours as hours. */
const duration = (minutes: number): string =>
  minutes > 60 && minutes % 60 === 0 ? count(minutes / 60, 'hour') : count(minutes, 'minute')

/**
 * The buttons. Denying takes nothing but a press; approving takes having been shown the whole
 * action.
 */
export function Ballot({ approval, complete, sending, vote }: BallotProps) {
  const [reason, setReason] = useState('')
  const reasonId = useId()
  const blocked = !complete || sending
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <label for={reasonId}>
        Reason <span class="fine">(optional; on record, and a denial’s goes to the agent)</span>
      </label>
      <textarea
        id={reasonId}
        rows={2}
        maxLength={2000}
        value={reason}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      {!complete && (
        <div class="unshown">
          <p>
            You have not seen all of it yet. Approving takes having had the whole action on your
            screen.
          </p>
          <button type="button" data-key="unshown" onClick={showNextUnshown}>
            Show what is missing
          </button>
        </div>
      )}
      <div class="buttons">
        <button
          type="button"
          class="approve"
          data-key="approve"
          disabled={blocked}
          onClick={() => vote({ decision: 'approve', reason, scope: 'once' })}
        >
          Approve once
        </button>
        <button
          type="button"
          class="deny"
          data-key="deny"
          disabled={sending}
          onClick={() => vote({ decision: 'deny', reason, scope: 'once' })}
        >
          Deny
        </button>
      </div>
      {offeredGrants(approval).map((grant) => (
        <>
          <GrantWords grant={grant} action={approval.action} />
          <button
            type="button"
            disabled={blocked}
            onClick={() => vote({ decision: 'approve', reason, scope: scopeOf(grant) })}
          >
            Approve for {grant.session ? 'this session' : duration(grant.minutes)}
          </button>
        </>
      ))}
    </form>
  )
}
