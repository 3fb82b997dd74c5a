import { useState } from 'preact/hooks'
import type { JsonObject } from '../../../core/json.ts'
import type { Approval } from '../api/types.ts'
import { fullTime } from '../text/time.ts'
import { Data } from './data.tsx'

/**
 * What identifies it, for whoever compares it with the audit log. None of it is part of what is
 * sent.
 */
export function Facts({ approval }: { approval: Approval }) {
  const { id, action, policy, view_hash, created_at, expires_at } = approval
  const { subject } = action
  const [open, setOpen] = useState(false)
  const facts: readonly (readonly [string, string])[] = [
    ['Digest (SHA-256)', action.digest],
    ['Kind', `${action.name}, effect: ${action.effect}`],
    ['Subject', `${subject.subject} (${subject.kind}) at ${subject.issuer}`],
    ['Groups', subject.groups.join(', ') || 'none'],
    ['Asked', fullTime(created_at)],
    ['Expires', fullTime(expires_at)],
    ['Approval', id],
    ['Action', action.id],
    ['Policies (SHA-256)', policy],
    ['This view (SHA-256)', view_hash],
  ]
  return (
    <details class="facts" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Digest, ids, and what the policy read</summary>
      <dl>
        {facts.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>
              <Data text={value} />
            </dd>
          </>
        ))}
        <dt>Attributes</dt>
        <dd>{open && <Attributes attributes={action.attributes} />}</dd>
      </dl>
    </details>
  )
}

/**
 * What the policy decided by. It can hold a second copy of the body, so it is laid out only for
 * whoever wants it.
 */
function Attributes({ attributes }: { attributes: JsonObject }) {
  const lines = JSON.stringify(attributes, null, 2).split('\n')
  return (
    <pre>
      {lines.map((line) => (
        <>
          <Data text={line} />
          {'\n'}
        </>
      ))}
    </pre>
  )
}
