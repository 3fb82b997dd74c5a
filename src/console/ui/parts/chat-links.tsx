import { useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { Me, ShownLink } from '../api/types.ts'
import { useAnswer } from '../state/use-answer.ts'
import { Confirm } from './confirm.tsx'
import { Data } from './data.tsx'
import { FailureNotice } from './notice.tsx'

/** Which accounts in chats are this person's: what they decide there, this person decides. */
export function ChatLinks({ me }: { me: Me }) {
  const { answer, failure, ask } = useAnswer<{ links: readonly ShownLink[] }>('/api/links')
  const [leaving, setLeaving] = useState<ShownLink | null>(null)
  const [failed, setFailed] = useState<Failure | null>(null)
  const unlink = ({ channel, tenant, member }: ShownLink) => {
    setLeaving(null)
    call('/api/links/unlink', {
      method: 'POST',
      csrf: me.csrf_token,
      body: { channel, tenant, member },
    }).then(ask, (error: unknown) => setFailed(Failure.from(error)))
  }
  const either = failed ?? failure
  return (
    <section class="sheet" aria-labelledby="links">
      <h2 id="links">Your chat accounts</h2>
      {either && <FailureNotice failure={either} />}
      {answer?.links.length === 0 && (
        <p class="fine">
          None is linked. Press a button under an approval in Slack or Teams, and it gives you a
          link that brings you here.
        </p>
      )}
      <ul class="lines">
        {answer?.links.map((link) => (
          <li class="linked">
            <p>
              <strong>
                <Data text={link.name} />
              </strong>{' '}
              <span class="fine">
                in <Data text={`${link.channel} ${link.tenant}`} />, as <Data text={link.member} />
              </span>
            </p>
            <button type="button" class="plain" onClick={() => setLeaving(link)}>
              Unlink
            </button>
          </li>
        ))}
      </ul>
      {leaving && (
        <Confirm
          title="Unlink this account?"
          yes="Unlink"
          confirmed={() => unlink(leaving)}
          close={() => setLeaving(null)}
        >
          <p>
            <Data text={leaving.name} /> can then not decide anything in {leaving.channel} until it
            is linked again.
          </p>
        </Confirm>
      )}
    </section>
  )
}
