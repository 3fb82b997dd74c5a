import '../style/settings.css'
import { useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { Me, ShownLink } from '../api/types.ts'
import { Data } from '../parts/data.tsx'
import { FailureNotice, Notice } from '../parts/notice.tsx'
import { pageHref } from '../state/route.ts'

/**
 * Where a link from a chat leads. The code that the chat shows beside it has to be typed, so that
 * nobody gets here by following a link alone; then the page says which account it would make this
 * person's, and does nothing until that is confirmed.
 */
export function LinkPage({ me, code: link }: { me: Me; code: string }) {
  const [shown, setShown] = useState('')
  const [offer, setOffer] = useState<ShownLink | null>(null)
  const [linked, setLinked] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const send = (path: string, then: (link: ShownLink) => void) => {
    setFailure(null)
    // With the code in the body, where no log and no history keeps it.
    const body = { code: `${link}.${shown}` }
    call<ShownLink>(path, { method: 'POST', csrf: me.csrf_token, body }).then(
      (answer) => then(answer.body),
      (error: unknown) => setFailure(Failure.from(error)),
    )
  }
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Link an account</h1>
      </div>
      {failure && <FailureNotice failure={failure} />}
      {!offer && (
        <form
          class="sheet linking"
          onSubmit={(event) => {
            event.preventDefault()
            send('/api/links/offer', setOffer)
          }}
        >
          <label class="field">
            The code that your chat shows beside the link
            <input
              required
              autocomplete="off"
              spellcheck={false}
              placeholder="ABC-234"
              value={shown}
              onInput={(event) => setShown(event.currentTarget.value)}
            />
          </label>
          <p class="fine">
            You have one if you pressed a button there just now. If somebody else gave you the link,
            or the code, close the page: they want to decide in your name.
          </p>
          <button type="submit">Go on</button>
        </form>
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
            <dt>Decides as you</dt>
            <dd>
              <strong>
                <Data text={me.person.name} />
              </strong>
            </dd>
            <dt>Logged in as</dt>
            <dd>
              <Data text={`${me.person.email ?? me.person.subject} at ${me.person.issuer}`} />
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
