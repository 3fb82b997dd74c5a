import { useMemo } from 'preact/hooks'
import type { Approval, Me } from '../api/types.ts'
import { InboxToolbar } from '../parts/inbox-toolbar.tsx'
import { DecidedItem } from '../parts/items.tsx'
import { Mark } from '../parts/mark.tsx'
import { FailureNotice } from '../parts/notice.tsx'
import { WaitingList } from '../parts/waiting-list.tsx'
import { decided } from '../state/inbox.ts'
import { filtered, inboxFilter } from '../state/inbox-filter.ts'
import { isMine } from '../state/mine.ts'
import { inboxHref } from '../state/route.ts'
import type { Feed } from '../state/use-feed.ts'
import { count } from '../text/count.ts'

const recentlyDecided = 20
const foundDecided = 100

function Nothing({ all }: { all: number }) {
  return (
    <div class="empty">
      <Mark />
      <p>
        <strong>{all === 0 ? 'Nothing is waiting.' : 'Nothing that waits is like this.'}</strong>
      </p>
      <p class="fine">
        {all === 0 ? (
          'What agents ask for appears here by itself.'
        ) : (
          <>
            {count(all, 'approval')} {all === 1 ? 'waits' : 'wait'} in all.{' '}
            <a href={inboxHref}>Show {all === 1 ? 'it' : 'them'}</a>
          </>
        )}
      </p>
    </div>
  )
}

const resourcesOf = (approvals: Iterable<Approval>) =>
  [...new Set([...approvals].map(({ action }) => action.resource))].toSorted()

interface InboxProps {
  me: Me
  feed: Feed
  /** All that wait. */
  everything: readonly Approval[]
  query: URLSearchParams
}

/** What waits for people, live, and what became of the last ones. */
export function Inbox({ me, feed, everything, query }: InboxProps) {
  const { approvals, loaded, failure, connection, skew, look } = feed
  const filter = inboxFilter(query)
  const narrowed = [...query.keys()].length > 0
  const waiting = filtered(everything, filter, me)
  const recent = filtered(decided(approvals, foundDecided), filter, me).slice(
    0,
    narrowed ? foundDecided : recentlyDecided,
  )
  const resources = useMemo(() => resourcesOf(approvals.values()), [approvals])
  const onlyDecided = filter.state !== '' && filter.state !== 'pending'
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>
          Inbox {loaded && <span class="count">{everything.length} waiting</span>}
        </h1>
      </div>
      <InboxToolbar
        filter={filter}
        resources={resources}
        mine={everything.filter((approval) => isMine(me, approval)).length}
      />
      {failure && failure.code !== 'unauthenticated' && !(loaded && connection === 'lost') && (
        <FailureNotice failure={failure} again={look} />
      )}
      {!loaded && !failure && <p role="status">Looking at what is waiting …</p>}
      {loaded && waiting.length === 0 && !onlyDecided && <Nothing all={everything.length} />}
      {waiting.length > 0 && <WaitingList key={query.toString()} approvals={waiting} skew={skew} />}
      {recent.length > 0 && (
        <section aria-labelledby="recent">
          <h2 id="recent">{narrowed ? 'Decided' : 'Recently decided'}</h2>
          <ul class="decided sheet">
            {recent.map((approval) => (
              <DecidedItem key={approval.id} approval={approval} skew={skew} />
            ))}
          </ul>
        </section>
      )}
      {loaded && onlyDecided && recent.length === 0 && (
        <p class="fine">None of the latest decisions is like this.</p>
      )}
    </>
  )
}
