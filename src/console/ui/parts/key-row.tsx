import { useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { Me, ShownKey, WaitingForPeople } from '../api/types.ts'
import { approvalHref } from '../state/route.ts'
import { visible } from '../text/invisible.ts'
import { ago } from '../text/time.ts'
import { Confirm } from './confirm.tsx'
import { Data } from './data.tsx'
import { FailureNotice } from './notice.tsx'

interface KeyRowProps {
  me: Me
  it: ShownKey
  changed: () => void
}

function ended({ revoked_at, expires_at }: ShownKey): string | null {
  if (revoked_at !== null) return 'revoked'
  return expires_at !== null && Date.parse(expires_at) <= Date.now() ? 'expired' : null
}

export function KeyRow({ me, it, changed }: KeyRowProps) {
  const [failure, setFailure] = useState<Failure | null>(null)
  const [asking, setAsking] = useState(false)
  /** The approval that revoking it waits for. */
  const [held, setHeld] = useState<string | null>(null)
  const { id, name, kind, owner, groups, scopes, created_at, expires_at, last_used_at } = it
  const end = ended(it)
  const revoke = () => {
    setAsking(false)
    call<Partial<WaitingForPeople>>(`/api/keys/${id}/revoke`, {
      method: 'POST',
      csrf: me.csrf_token,
      body: {},
    }).then(
      ({ body: { approval } }) => {
        if (approval === undefined) changed()
        else setHeld(approval)
      },
      (error: unknown) => setFailure(Failure.from(error)),
    )
  }
  return (
    <tr class={end === null ? '' : 'ended'}>
      <th scope="row">
        <Data text={name} />
        <span class="fine">
          {kind}
          {scopes.length > 0 && ` · ${scopes.join(', ')}`} · made{' '}
          {ago(Date.now() - Date.parse(created_at))}
        </span>
      </th>
      <td data-name="owner">
        <Data text={'group' in owner ? `group ${owner.group}` : owner.subject} />
      </td>
      <td data-name="groups">
        <Data text={groups.join(', ') || 'none'} />
      </td>
      <td data-name="used">
        {last_used_at === null ? 'never' : ago(Date.now() - Date.parse(last_used_at))}
      </td>
      <td data-name="ends">
        {end !== null ? (
          <span class="badge tone-quiet">{end}</span>
        ) : (
          (expires_at && new Date(expires_at).toLocaleDateString('en', { dateStyle: 'medium' })) ||
          'never'
        )}
      </td>
      <td>
        {held !== null && (
          <p class="fine">
            A rule holds this: it ends when <a href={approvalHref(held)}>people have approved it</a>
            .
          </p>
        )}
        {end === null && held === null && (
          <button type="button" class="plain" onClick={() => setAsking(true)}>
            Revoke<span class="sr"> {visible(name)}</span>
          </button>
        )}
        {asking && (
          <Confirm
            title={`Revoke ${visible(name)}?`}
            yes="Revoke"
            confirmed={revoke}
            close={() => setAsking(false)}
          >
            <p>
              Whatever uses it is refused within a second, everywhere. This cannot be taken back.
            </p>
          </Confirm>
        )}
        {failure && <FailureNotice failure={failure} />}
      </td>
    </tr>
  )
}
