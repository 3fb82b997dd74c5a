import { useState } from 'preact/hooks'
import { Failure } from '../api/call.ts'
import type { Me } from '../api/types.ts'
import { inboxHref, type Route } from '../state/route.ts'
import { logOut } from '../state/log-out.ts'
import { Data } from './data.tsx'
import { Mark } from './mark.tsx'
import { Menu } from './menu.tsx'
import { FailureNotice } from './notice.tsx'

interface HeaderProps {
  me: Me
  route: Route
  waiting: number
  askSession: () => void
}

export function Header({ me, route, waiting, askSession }: HeaderProps) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const leave = () => {
    logOut(me).then(askSession, (error: unknown) => setFailure(Failure.from(error)))
  }
  const { name, subject, email } = me.person
  return (
    <header class="top">
      <a class="brand" href={inboxHref}>
        <Mark />
        Sallyport
      </a>
      <Menu me={me} route={route} waiting={waiting} />
      <div class="me">
        <p>
          <span class="sr">Logged in as </span>
          <strong>
            <Data text={name || subject} />
          </strong>
          <span class="fine">
            <Data text={email ?? subject} />
          </span>
        </p>
        <button type="button" class="plain" onClick={leave}>
          Log out
        </button>
      </div>
      {failure && <FailureNotice failure={failure} />}
    </header>
  )
}
