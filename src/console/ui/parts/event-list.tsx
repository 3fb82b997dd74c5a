import type { AuditEvent } from '../api/types.ts'
import { storyHref } from '../state/route.ts'
import { stepOfEvent } from '../state/steps.ts'
import { fullTime, logTime } from '../text/time.ts'
import { outcomeInWords } from '../text/words.ts'
import { Data } from './data.tsx'

/** An event leads to the story that it belongs to; some are a story of their own. */
function placeOf({ approval, action }: AuditEvent): string | null {
  if (approval !== undefined) return storyHref('approval', approval)
  return action ? storyHref('action', action.id) : null
}

function What({ event }: { event: AuditEvent }) {
  const summary = event.details?.['summary']
  const { title, tone } = stepOfEvent(event)
  const href = placeOf(event)
  return (
    <div>
      <span class={`badge tone-${tone}`}>
        {href === null ? (
          title
        ) : (
          <a href={href} data-item={event.id}>
            {title}
          </a>
        )}
      </span>
      {typeof summary === 'string' && (
        <span class="summary">
          <Data text={summary} limit={120} />
        </span>
      )}
      {event.outcome && <span class="fine">{outcomeInWords(event.outcome)}</span>}
    </div>
  )
}

const Who = ({ who }: { who: string | null }) =>
  who === null ? null : <Data text={who} limit={60} />

/** One row an event; on a phone a row is a block. */
export function EventList({ events }: { events: readonly AuditEvent[] }) {
  if (events.length === 0) return null
  return (
    <table class="events sheet">
      <caption class="sr">Events, the newest first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">What</th>
          <th scope="col">Who</th>
          <th scope="col">Resource</th>
          <th scope="col">Reason</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id}>
            <td class="when">
              <time dateTime={event.time} title={fullTime(event.time)}>
                {logTime(event.time)}
              </time>
            </td>
            <td class="what">
              <What event={event} />
            </td>
            <td>
              <Who who={stepOfEvent(event).who} />
            </td>
            <td>{event.resource !== undefined && <Data text={event.resource} limit={60} />}</td>
            <td class="reason">
              {event.reason !== undefined && <Data text={event.reason} limit={60} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
