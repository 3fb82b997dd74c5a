import { useMemo } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { formatJson } from '../text/json.ts'
import { Data } from './data.tsx'

/** What identifies it, for whoever compares it with the audit log. None of it is part of what is sent. */
export function Facts({ approval }: { approval: Approval }) {
  const { id, action, policy, view_hash, created_at, expires_at } = approval
  const { subject } = action
  const attributes = useMemo(() => {
    const rows = formatJson(JSON.stringify(action.attributes))?.rows ?? []
    return rows.map(({ tokens }) => tokens.map(({ text }) => text).join('')).join('\n')
  }, [action.attributes])
  const facts: readonly (readonly [string, string])[] = [
    ['Digest (SHA-256)', action.digest],
    ['Kind', `${action.name}, effect: ${action.effect}`],
    ['Subject', `${subject.subject} (${subject.kind}) at ${subject.issuer}`],
    ['Groups', subject.groups.join(', ') || 'none'],
    ['Asked', new Date(created_at).toLocaleString()],
    ['Expires', new Date(expires_at).toLocaleString()],
    ['Approval', id],
    ['Action', action.id],
    ['Policies (SHA-256)', policy],
    ['This view (SHA-256)', view_hash],
  ]
  return (
    <details class="facts">
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
        <dd>
          <pre>
            {attributes.split('\n').map((line) => (
              <>
                <Data text={line} />
                {'\n'}
              </>
            ))}
          </pre>
        </dd>
      </dl>
    </details>
  )
}
