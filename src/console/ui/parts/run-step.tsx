import { useState } from 'preact/hooks'
import { storyHref } from '../state/route.ts'
import type { RunLine } from '../state/run.ts'
import { stepOfEvent } from '../state/steps.ts'
import { fullTime, lasted } from '../text/time.ts'
import { Data } from './data.tsx'
import { EventDetails } from './event-details.tsx'
import { Timeline } from './timeline.tsx'

/** Deeper calls are as far to the right as these: a phone is narrow. */
const deepest = 4

/** One call of a run, and what happened to it for whoever opens it. */
export function RunStep({ line, began }: { line: RunLine; began: string }) {
  const { action, depth, summary, resource, word, tone, at, took, asked } = line
  const [open, setOpen] = useState(false)
  return (
    <li class={`call depth-${Math.min(depth, deepest)}`}>
      <p class="call-head">
        <span class={`badge tone-${tone}`}>{word}</span>
        <a class="summary" href={storyHref('action', action.id)}>
          <Data text={summary} limit={160} />
        </a>
        {resource !== null && (
          <span class="fine">
            on <Data text={resource} limit={60} />
          </span>
        )}
      </p>
      <p class="fine">
        <time dateTime={at} title={fullTime(at)}>
          {at === began ? 'first' : `after ${lasted(Date.parse(at) - Date.parse(began))}`}
        </time>
        {asked === 'waits' && ', waits for people'}
        {asked !== 'waits' && took > 0 && `, took ${lasted(took)}`}
        {asked === 'over' && ', people were asked'}
        {depth > 0 && ', called by the one above'}
      </p>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary class="fine">What happened</summary>
        {open && (
          <Timeline
            steps={action.events.map(stepOfEvent)}
            detailsOf={({ key }) => (
              <EventDetails event={action.events.find((event) => event.id === key)!} />
            )}
          />
        )}
      </details>
    </li>
  )
}
