import { useState } from 'preact/hooks'
import { Failure } from '../api/call.ts'
import type { Me } from '../api/types.ts'
import { inboxHref } from '../state/route.ts'
import { logOut } from '../state/log-out.ts'
import { Data } from './data.tsx'
import { Mark } from './mark.tsx'
import { FailureNotice } from './notice.tsx'

export function Header({ me, askSession }: { me: Me; askSession: () => void }) {
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
      <p class="me">
        <span class="sr">Logged in as </span>
        <strong>
          <Data text={name || subject} />
        </strong>
        <span class="fine">
          <Data text={email ?? subject} />
          {me.roles.length > 0 && ` · ${me.roles.join(', ')}`}
        </span>
      </p>
      <button type="button" class="plain" onClick={leave}>
        Log out
      </button>
      {failure && <FailureNotice failure={failure} />}
    </header>
  )
}
