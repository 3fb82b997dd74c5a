import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Approval, Me } from '../api/types.ts'
import { Boundary } from '../parts/boundary.tsx'
import { Header } from '../parts/header.tsx'
import { Help } from '../parts/help.tsx'
import { Lazy } from '../parts/lazy.tsx'
import { pending } from '../state/inbox.ts'
import type { Route } from '../state/route.ts'
import { useAnnouncement } from '../state/use-announcement.ts'
import { useFeed, type Feed } from '../state/use-feed.ts'
import { useKeys } from '../state/use-keys.ts'
import { useRoute } from '../state/use-route.ts'
import { ApprovalPage } from './approval.tsx'
import { Inbox } from './inbox.tsx'

const activity = () => import('./activity.tsx').then((it) => it.ActivityPage)
const story = () => import('./story.tsx').then((it) => it.StoryPage)
const run = () => import('./run.tsx').then((it) => it.RunPage)
const usage = () => import('./usage.tsx').then((it) => it.UsagePage)
const evidence = () => import('./evidence.tsx').then((it) => it.EvidencePage)
const policies = () => import('./policies.tsx').then((it) => it.PoliciesPage)
const agentKeys = () => import('./keys.tsx').then((it) => it.KeysPage)
const link = () => import('./link.tsx').then((it) => it.LinkPage)
const settings = () => import('./settings.tsx').then((it) => it.SettingsPage)

interface PageProps {
  route: Route
  me: Me
  feed: Feed
  waiting: readonly Approval[]
  askSession: () => void
  shown: () => void
}

function CurrentPage({ route, me, feed, waiting, askSession, shown }: PageProps) {
  switch (route.page) {
    case 'inbox':
      return <Inbox me={me} feed={feed} everything={waiting} query={route.query} />
    case 'approval':
      return (
        <Boundary key={route.id}>
          <ApprovalPage key={route.id} id={route.id} me={me} feed={feed} askSession={askSession} />
        </Boundary>
      )
    case 'activity':
      return (
        <Lazy key="activity" load={activity} shown={shown} props={{ me, query: route.query }} />
      )
    case 'story':
      return (
        <Lazy key={route.id} load={story} shown={shown} props={{ of: route.of, id: route.id }} />
      )
    case 'run':
      return <Lazy key={route.id} load={run} shown={shown} props={{ trace: route.id }} />
    case 'usage':
      return <Lazy key="usage" load={usage} shown={shown} props={{ query: route.query }} />
    case 'evidence':
      return <Lazy key="evidence" load={evidence} shown={shown} props={{ query: route.query }} />
    case 'policies':
      return (
        <Lazy key="policies" load={policies} shown={shown} props={{ me, query: route.query }} />
      )
    case 'keys':
      return <Lazy key="keys" load={agentKeys} shown={shown} props={{ me }} />
    case 'link':
      return <Lazy key={route.id} load={link} shown={shown} props={{ me, code: route.id }} />
    case 'settings':
      return <Lazy key="settings" load={settings} shown={shown} props={{ me }} />
  }
}

const titles: Readonly<Record<Route['page'], string>> = {
  inbox: 'Inbox',
  approval: 'Approval',
  activity: 'Activity',
  story: 'Story',
  run: 'Run',
  usage: 'Usage',
  evidence: 'Evidence',
  policies: 'Policies',
  keys: 'Keys',
  settings: 'Settings',
  link: 'Link an account',
}

/** Everything for somebody who is logged in. */
export function Shell({ me, askSession }: { me: Me; askSession: () => void }) {
  const route = useRoute()
  const feed = useFeed()
  const waiting = useMemo(() => pending(feed.approvals), [feed.approvals])
  const announcement = useAnnouncement(waiting, feed.loaded)
  const [help, setHelp] = useState(false)
  useKeys(route, waiting, () => setHelp(true))

  const ended = feed.failure?.code === 'unauthenticated'
  useEffect(() => {
    if (ended) askSession()
  }, [ended, askSession])

  useEffect(() => {
    const name = route.page === 'inbox' ? 'Sallyport' : `${titles[route.page]} · Sallyport`
    document.title = waiting.length > 0 ? `(${waiting.length}) ${name}` : name
  }, [waiting.length, route.page])

  // Another page: whoever does not see it is told, by moving the focus to what it is about, as soon
  // as that is there.
  const place = 'id' in route ? `${route.page} ${route.id}` : route.page
  const before = useRef(place)
  const wantsFocus = useRef(false)
  const focusHeading = useCallback(() => {
    const heading = document.querySelector<HTMLElement>('h1')
    if (!wantsFocus.current || !heading) return
    wantsFocus.current = false
    heading.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    if (before.current === place) return
    before.current = place
    wantsFocus.current = true
    scrollTo(0, 0)
    focusHeading()
  }, [place, focusHeading])

  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The fragment is the address of the page.
          event.preventDefault()
          document.getElementById('main')!.focus()
        }}
      >
        Skip to the page
      </a>
      <Header me={me} route={route} waiting={waiting.length} askSession={askSession} />
      <p class="sr" role="status">
        {announcement}
      </p>
      <main id="main" class={route.page} tabIndex={-1}>
        {feed.connection === 'lost' && (
          <p class="offline" role="status">
            The connection to the gateway is lost; trying again. What you see may be out of date.
          </p>
        )}
        <CurrentPage
          route={route}
          me={me}
          feed={feed}
          waiting={waiting}
          askSession={askSession}
          shown={focusHeading}
        />
      </main>
      {help && <Help close={() => setHelp(false)} />}
    </>
  )
}
