import '../style/activity.css'
import { useCallback, useEffect, useState } from 'preact/hooks'
import { Failure } from '../api/call.ts'
import { allEvents } from '../api/events.ts'
import type { AuditEvent } from '../api/types.ts'
import { Data } from '../parts/data.tsx'
import { EventDetails } from '../parts/event-details.tsx'
import { FailureNotice } from '../parts/notice.tsx'
import { Timeline } from '../parts/timeline.tsx'
import { approvalHref, pageHref } from '../state/route.ts'
import { stepOfEvent } from '../state/steps.ts'
import { storyFacts } from '../state/story-facts.ts'

/**
 * Everything that is on record about an action, or about an approval and every attempt that used
 * it.
 */
export function StoryPage({ of, id }: { of: 'action' | 'approval'; id: string }) {
  const [events, setEvents] = useState<readonly AuditEvent[] | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const ask = useCallback(() => {
    setFailure(null)
    allEvents(of, id).then(setEvents, (error: unknown) => setFailure(Failure.from(error)))
  }, [of, id])
  useEffect(ask, [ask])
  const facts = events && storyFacts(events)
  return (
    <>
      <p class="back">
        <a href={pageHref('activity')}>← Activity</a>
      </p>
      <h1 tabIndex={-1}>
        {facts?.summary ? <Data text={facts.summary} limit={300} /> : `Story of an ${of}`}
      </h1>
      {failure && <FailureNotice failure={failure} again={ask} />}
      {!events && !failure && <p role="status">Reading the log …</p>}
      {facts && events && events.length === 0 && (
        <p>Nothing is on record about it here. The link may be for another gateway.</p>
      )}
      {facts && events && events.length > 0 && (
        <>
          <dl class="story-facts sheet">
            {facts.facts.map(({ name, value, href }) => (
              <>
                <dt>{name}</dt>
                <dd>
                  {href === null ? (
                    <Data text={value} />
                  ) : (
                    <a href={href}>
                      <Data text={value} />
                    </a>
                  )}
                </dd>
              </>
            ))}
            {of === 'approval' && (
              <>
                <dt>Approval</dt>
                <dd>
                  <a href={approvalHref(id)}>
                    <Data text={id} />
                  </a>
                </dd>
              </>
            )}
          </dl>
          <div class="sheet">
            <Timeline
              steps={events.map(stepOfEvent)}
              detailsOf={({ key }) => (
                <EventDetails event={events.find((event) => event.id === key)!} />
              )}
            />
          </div>
        </>
      )}
    </>
  )
}
