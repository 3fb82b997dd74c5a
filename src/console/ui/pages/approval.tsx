import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { isOpen } from '../../../approvals/machine.ts'
import { call, Failure } from '../api/call.ts'
import type { Approval, Me } from '../api/types.ts'
import { Action } from '../parts/action.tsx'
import { RiskBadge, StateBadge } from '../parts/badges.tsx'
import { BrokenGlass } from '../parts/break-glass.tsx'
import { Chain } from '../parts/chain.tsx'
import { Countdown } from '../parts/countdown.tsx'
import { DataUse } from '../parts/data-use.tsx'
import { Data } from '../parts/data.tsx'
import { Decide } from '../parts/decide.tsx'
import { Facts } from '../parts/facts.tsx'
import { Impact } from '../parts/impact.tsx'
import { Lazy } from '../parts/lazy.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { Requirements } from '../parts/requirements.tsx'
import { Similar } from '../parts/similar.tsx'
import { Timeline } from '../parts/timeline.tsx'
import { Why } from '../parts/why.tsx'
import { approvalHref, inboxHref, runHref, storyHref } from '../state/route.ts'
import { stepsOfApproval } from '../state/steps.ts'
import type { Feed } from '../state/use-feed.ts'
import { useShown } from '../state/use-shown.ts'
import { outcomeInWords, states } from '../text/words.ts'

const replay = () => import('../parts/approval-replay.tsx').then((it) => it.ApprovalReplay)
const nothing = () => {}

interface ApprovalPageProps {
  id: string
  me: Me
  feed: Feed
  askSession: () => void
}

/** One approval by its id: from the live list, or fetched when it is older than that. */
export function ApprovalPage({ id, me, feed, askSession }: ApprovalPageProps) {
  const approval = feed.approvals.get(id)
  const [failure, setFailure] = useState<Failure | null>(null)
  const take = useRef(feed.take)
  take.current = feed.take
  const refresh = useCallback(() => {
    setFailure(null)
    call<Approval>(`/api/approvals/${id}`).then(
      ({ body }) => take.current(body),
      (error: unknown) => setFailure(Failure.from(error)),
    )
  }, [id])
  const known = approval !== undefined
  useEffect(() => {
    if (!known && feed.loaded) refresh()
  }, [known, feed.loaded, refresh])

  return (
    <>
      <p class="back">
        <a href={inboxHref}>← Inbox</a>
      </p>
      {approval && (
        <Shown approval={approval} me={me} feed={feed} refresh={refresh} askSession={askSession} />
      )}
      {!approval && !failure && <p role="status">Fetching it …</p>}
      {!approval && failure && (
        <>
          <h1 tabIndex={-1}>Approval</h1>
          <FailureNotice failure={failure} again={refresh} />
        </>
      )}
    </>
  )
}

interface ShownProps {
  approval: Approval
  me: Me
  feed: Feed
  refresh: () => void
  askSession: () => void
}

/** On a narrow screen the decision is below the whole action. */
function goToDecision(): void {
  const decision = document.getElementById('decision')!
  decision.focus({ preventScroll: true })
  decision.scrollIntoView({ block: 'start' })
}

function Shown({ approval, me, feed, refresh, askSession }: ShownProps) {
  const { action, state, requirements, created_at, expires_at, outcome } = approval
  const { shown, markShown } = useShown(approval.view_hash)
  return (
    <div class="reading">
      <article aria-labelledby="what">
        <div class="badges">
          <RiskBadge risk={approval.risk} />
          <StateBadge state={state} />
          {isOpen(state) && <Countdown from={created_at} until={expires_at} skew={feed.skew} />}
        </div>
        <h1 id="what" tabIndex={-1}>
          <Data text={action.summary} />
        </h1>
        {approval.ran_before && (
          <Notice
            tone={approval.ran_before.state === 'unknown' ? 'alarm' : 'bad'}
            title="This has run before"
          >
            <p>
              The same request, byte for byte, was approved before. That run:{' '}
              <a href={approvalHref(approval.ran_before.id)}>
                {states[approval.ran_before.state].word}
              </a>
              . {states[approval.ran_before.state].says}
            </p>
          </Notice>
        )}
        <Chain subject={action.subject} resource={action.resource} />
        {approval.impact && <Impact impact={approval.impact} />}
        <DataUse approval={approval} />
        <Why approval={approval} />
        <section class="action" aria-labelledby="action">
          <h2 id="action">The whole action</h2>
          <p class="fine">
            {state === 'pending'
              ? 'If it is approved, exactly this runs, once.'
              : 'Exactly what people were asked about.'}
          </p>
          <Action
            key={approval.view_hash}
            payload={action.payload}
            view={approval.view_hash}
            shown={shown}
            onShown={markShown}
          />
        </section>
        {action.name === 'policy.activate' && (
          <Lazy key={approval.id} load={replay} shown={nothing} props={{ approval }} />
        )}
        <Similar approval={approval} me={me} feed={feed} />
        <section class="happened" aria-labelledby="happened">
          <h2 id="happened">What happened</h2>
          <Timeline steps={stepsOfApproval(approval)} />
          {me.roles.includes('auditor') && (
            <p class="fine">
              <a href={storyHref('approval', approval.id)}>All of it, from the audit log</a>
            </p>
          )}
          {approval.trace !== null && (
            <p class="fine">
              <a href={runHref(approval.trace)}>What else this run of the agent did</a>
            </p>
          )}
        </section>
        <Facts approval={approval} />
        {state === 'pending' && (
          <div class="jump">
            <Countdown from={created_at} until={expires_at} skew={feed.skew} />
            <button type="button" class="approve" onClick={goToDecision}>
              Decide ↓
            </button>
          </div>
        )}
      </article>
      <section class="panel" aria-labelledby="decision">
        <h2 id="decision" tabIndex={-1}>
          Decision
        </h2>
        <Requirements requirements={requirements} />
        {approval.broken_glass && <BrokenGlass vote={approval.broken_glass} />}
        {outcome && (
          <p class="outcome">
            Upstream: <strong>{states[outcome.result].word}</strong>{' '}
            <Data text={outcomeInWords(outcome)} />
          </p>
        )}
        <Decide
          approval={approval}
          me={me}
          complete={shown.has('all')}
          take={feed.take}
          refresh={refresh}
          askSession={askSession}
        />
      </section>
    </div>
  )
}
