import '../style/settings.css'
import { useCallback, useEffect, useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { Me, ShownLink } from '../api/types.ts'
import { Data } from '../parts/data.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { pageHref } from '../state/route.ts'

/** Where a link from a chat leads: it says which account it would make this person's, and does nothing until that is confirmed. */
export function LinkPage({ me, code }: { me: Me; code: string }) {
  const [offer, setOffer] = useState<ShownLink | null>(null)
  const [linked, setLinked] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const send = useCallback(
    (path: string, then: (link: ShownLink) => void) => {
      setFailure(null)
      // With the code in the body, where no log and no history keeps it.
      call<ShownLink>(path, { method: 'POST', csrf: me.csrf_token, body: { code } }).then(
        ({ body }) => then(body),
        (error: unknown) => setFailure(Failure.from(error)),
      )
    },
    [code, me.csrf_token],
  )
  useEffect(() => send('/api/links/offer', setOffer), [send])
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Link an account</h1>
      </div>
      {!offer && !failure && <p role="status">Looking at the link …</p>}
      {failure && (
        <FailureNotice failure={failure}>
          <p>
            Links work once, and not for long. Press the button in the chat again for a new one.
          </p>
        </FailureNotice>
      )}
      {offer && !linked && (
        <section class="sheet linking" aria-label="What it links">
          <dl>
            <dt>Account</dt>
            <dd>
              <strong>
                <Data text={offer.name} />
              </strong>
            </dd>
            <dt>In</dt>
            <dd>
              <Data text={`${offer.channel} ${offer.tenant}`} />
            </dd>
            <dt>As</dt>
            <dd>
              <Data text={offer.member} />
            </dd>
            <dt>Becomes</dt>
            <dd>
              <Data text={me.person.email ?? me.person.subject} />
            </dd>
          </dl>
          <Notice tone="waiting" title="Is this your own account?">
            <p>
              What it decides, you decide. Go on only if you pressed a button in that chat just now;
              if somebody sent you this link, close the page.
            </p>
          </Notice>
          <button
            type="button"
            class="approve"
            onClick={() => send('/api/links', () => setLinked(true))}
          >
            Yes, it is mine
          </button>
        </section>
      )}
      {linked && (
        <Notice tone="good" title="It is linked">
          <p>
            Go back to the chat, and decide there. <a href={pageHref('settings')}>Settings</a> lists
            your accounts.
          </p>
        </Notice>
      )}
    </>
  )
}
