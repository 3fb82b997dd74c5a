import { useEffect, useRef } from 'preact/hooks'
import type { Me } from '../api/types.ts'
import { Boundary } from '../parts/boundary.tsx'
import { Footer } from '../parts/footer.tsx'
import { Header } from '../parts/header.tsx'
import { pending } from '../state/inbox.ts'
import { useAnnouncement } from '../state/use-announcement.ts'
import { useFeed } from '../state/use-feed.ts'
import { useKeys } from '../state/use-keys.ts'
import { useRoute } from '../state/use-route.ts'
import { ApprovalPage } from './approval.tsx'
import { Inbox } from './inbox.tsx'

/** Everything for somebody who is logged in. */
export function Shell({ me, askSession }: { me: Me; askSession: () => void }) {
  const route = useRoute()
  const feed = useFeed()
  const waiting = pending(feed.approvals)
  const announcement = useAnnouncement(waiting, feed.loaded)
  useKeys(route, waiting)

  const ended = feed.failure?.code === 'unauthenticated'
  useEffect(() => {
    if (ended) askSession()
  }, [ended, askSession])

  useEffect(() => {
    document.title = waiting.length > 0 ? `(${waiting.length}) Sallyport` : 'Sallyport'
  }, [waiting.length])

  // Another page: whoever does not see it is told, by moving the focus to what it is about.
  const place = route.page === 'approval' ? route.id : 'inbox'
  const before = useRef(place)
  useEffect(() => {
    if (before.current === place) return
    before.current = place
    scrollTo(0, 0)
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
  }, [place])

  return (
    <>
      <Header me={me} askSession={askSession} />
      <p class="sr" role="status">
        {announcement}
      </p>
      {feed.connection === 'lost' && (
        <p class="offline" role="status">
          The connection to the gateway is lost; trying again. What you see may be out of date.
        </p>
      )}
      <main class={route.page}>
        {route.page === 'inbox' ? (
          <Inbox feed={feed} />
        ) : (
          <Boundary key={route.id}>
            <ApprovalPage
              key={route.id}
              id={route.id}
              me={me}
              feed={feed}
              askSession={askSession}
            />
          </Boundary>
        )}
      </main>
      <Footer />
    </>
  )
}
