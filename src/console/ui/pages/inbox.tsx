import type { Approval } from '../api/types.ts'
import { FailureNotice } from '../parts/notice.tsx'
import { Mark } from '../parts/mark.tsx'
import { DecidedItem, PendingItem } from '../parts/items.tsx'
import { decided, pending } from '../state/inbox.ts'
import type { Feed } from '../state/use-feed.ts'

const recentlyDecided = 20

function Waiting({ approvals, skew }: { approvals: readonly Approval[]; skew: number }) {
  if (approvals.length === 0) {
    return (
      <div class="empty">
        <Mark />
        <p>
          <strong>Nothing is waiting.</strong>
        </p>
        <p class="fine">What agents ask for appears here by itself.</p>
      </div>
    )
  }
  return (
    <ul class="cards">
      {approvals.map((approval) => (
        <PendingItem key={approval.id} approval={approval} skew={skew} />
      ))}
    </ul>
  )
}

/** What waits for people, live, and what became of the last ones. */
export function Inbox({ feed }: { feed: Feed }) {
  const { approvals, loaded, failure, connection, skew, look } = feed
  const waiting = pending(approvals)
  const recent = decided(approvals, recentlyDecided)
  return (
    <>
      <h1 tabIndex={-1}>Inbox {loaded && <span class="count">{waiting.length} waiting</span>}</h1>
      {failure && failure.code !== 'unauthenticated' && !(loaded && connection === 'lost') && (
        <FailureNotice failure={failure}>
          <button type="button" onClick={look}>
            Try again
          </button>
        </FailureNotice>
      )}
      {!loaded && !failure && <p role="status">Looking at what is waiting …</p>}
      {loaded && <Waiting approvals={waiting} skew={skew} />}
      {recent.length > 0 && (
        <section aria-labelledby="recent">
          <h2 id="recent">Recently decided</h2>
          <ul class="decided">
            {recent.map((approval) => (
              <DecidedItem key={approval.id} approval={approval} skew={skew} />
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
