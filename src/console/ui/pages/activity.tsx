import '../style/activity.css'
import { useState } from 'preact/hooks'
import type { Me } from '../api/types.ts'
import { ActivityToolbar } from '../parts/activity-toolbar.tsx'
import { DownloadNotice } from '../parts/download.tsx'
import { EventList } from '../parts/event-list.tsx'
import { Export } from '../parts/export.tsx'
import { Facets } from '../parts/facets.tsx'
import { FailureNotice } from '../parts/notice.tsx'
import { SavedSearches } from '../parts/saved-searches.tsx'
import { activityFilter, savedQuery, type ActivityFilter } from '../state/activity-filter.ts'
import { facetsOf } from '../state/facets.ts'
import { pageHref } from '../state/route.ts'
import { useDownload } from '../state/use-download.ts'
import { useEvents } from '../state/use-events.ts'
import { replacePlace } from '../state/use-route.ts'
import { count } from '../text/count.ts'

/** The audit log: what is searched for stands in the address. */
export function ActivityPage({ me, query }: { me: Me; query: URLSearchParams }) {
  const filter = activityFilter(query)
  const [live, setLive] = useState(false)
  const { events, cursor, loaded, asking, failure, more, again } = useEvents(filter, live)
  const set = (change: Partial<ActivityFilter>) =>
    replacePlace(pageHref('activity', { ...filter, ...change }))
  const download = useDownload()
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Activity</h1>
        <div class="toolbar">
          <label class="check">
            <input
              type="checkbox"
              checked={live}
              onChange={(event) => setLive(event.currentTarget.checked)}
            />
            Live
          </label>
          <Export filter={filter} download={download} />
        </div>
      </div>
      <DownloadNotice {...download} />
      <ActivityToolbar filter={filter} set={set} />
      <SavedSearches csrf={me.csrf_token} asked={savedQuery(filter)} />
      {failure && <FailureNotice failure={failure} again={again} />}
      <div class="activity-body">
        <Facets facets={facetsOf(events, filter)} filter={filter} set={set} />
        <div>
          <p class="fine" role="status">
            {!loaded && 'Searching …'}
            {loaded && !failure && events.length === 0 && 'No event is like this.'}
            {loaded &&
              events.length > 0 &&
              `${count(events.length, 'event')}${cursor === null ? ', all there are' : ', the newest'}${asking ? ' …' : ''}`}
          </p>
          <EventList events={events} />
          {cursor !== null && (
            <button type="button" class="more-events" disabled={asking} onClick={more}>
              Show older ones
            </button>
          )}
        </div>
      </div>
    </>
  )
}
