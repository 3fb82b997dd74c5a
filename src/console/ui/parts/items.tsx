import { useMemo } from 'preact/hooks'
import type { JsonObject } from '../../../core/json.ts'
import type { Approval } from '../api/types.ts'
import { actorAndPerson } from '../state/delegation.ts'
import { approvalHref } from '../state/route.ts'
import { useNow } from '../state/use-now.ts'
import { ago, fullTime } from '../text/time.ts'
import { outcomeInWords } from '../text/words.ts'
import { RiskBadge, StateBadge } from './badges.tsx'
import { Countdown } from './countdown.tsx'
import { Data } from './data.tsx'

/**
 * Characters of a summary in a list; the rest is counted there, and shown on the page of its own.
 */
const summaryLimit = 160

function Who({ approval: { action } }: { approval: Approval }) {
  const { actor, person } = actorAndPerson(action.subject)
  return (
    <>
      <strong>
        <Data text={actor} limit={60} />
      </strong>
      {person !== null && (
        <>
          {' for '}
          <Data text={person} limit={60} />
        </>
      )}
      {' on '}
      <Data text={action.resource} />
    </>
  )
}

/** Characters of a body in a list: enough to tell one refund from the next. */
const bodyLimit = 100

/** How the body begins, as it is: a request of the same route differs from its neighbours there. */
function BodyBegins({ payload }: { payload: Approval['action']['payload'] }) {
  const body = payload['body'] as JsonObject | null | undefined
  const text = body?.['text']
  if (typeof text !== 'string' || text === '') return null
  return (
    <p class="fine body-begins">
      <Data text={text} limit={bodyLimit} />
    </p>
  )
}

/** The whole row opens the approval; there is nothing to press by accident when the list moves. */
export function PendingItem({ approval, skew }: { approval: Approval; skew: number }) {
  // The same nodes as long as it is the same approval: every event of the feed looks through the
  // whole list.
  return useMemo(() => {
    const { id, action, risk, rules, requirements, created_at, expires_at } = approval
    const wanted = requirements.reduce((sum, { quorum }) => sum + quorum, 0)
    const given = requirements
      .flatMap(({ votes }) => votes)
      .filter(({ decision }) => decision === 'approve').length
    return (
      <li class={`item risk-edge-${risk}`}>
        <h2>
          <a href={approvalHref(id)} data-item={id}>
            <Data text={action.summary} limit={summaryLimit} />
          </a>
        </h2>
        <BodyBegins payload={action.payload} />
        <p class="who">
          <Who approval={approval} />
        </p>
        <p class="fine rule">
          <Data text={rules.join(', ')} limit={120} /> · {given} of {wanted}{' '}
          {wanted === 1 ? 'approval' : 'approvals'}
        </p>
        <RiskBadge risk={risk} />
        <Countdown from={created_at} until={expires_at} skew={skew} />
      </li>
    )
  }, [approval, skew])
}

/** Milliseconds: minutes are shown. */
const agoSteps = 20_000

export function DecidedItem({ approval, skew }: { approval: Approval; skew: number }) {
  const now = useNow(skew, agoSteps)
  const { id, action, state, resolution, resolved_at } = approval
  const outcomeWords = approval.outcome ? outcomeInWords(approval.outcome) : ''
  return (
    <li>
      <StateBadge state={state} />
      <div>
        <a href={approvalHref(id)} data-item={id}>
          <Data text={action.summary} limit={summaryLimit} />
        </a>
        <p class="fine">
          <Who approval={approval} />
          {resolution?.by && (
            <>
              {' · by '}
              <Data text={resolution.by.subject} limit={60} />
            </>
          )}
          {approval.broken_glass && ' · released alone, in an emergency'}
          {outcomeWords !== '' && ` · ${outcomeWords}`}
          {resolved_at !== null && (
            <>
              {' · '}
              <time dateTime={resolved_at} title={fullTime(resolved_at)}>
                {ago(now - Date.parse(resolved_at))}
              </time>
            </>
          )}
        </p>
      </div>
    </li>
  )
}
