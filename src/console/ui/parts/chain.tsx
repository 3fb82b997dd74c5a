import type { ShownSubject } from '../api/types.ts'
import { delegation, type Station } from '../state/delegation.ts'
import { Data } from './data.tsx'

const roles: Readonly<Record<Station['role'], string>> = {
  person: 'Person',
  group: 'Group',
  nobody: 'Owner',
  agent: 'Agent',
  service: 'Service',
  resource: 'Resource',
}

/** Person → agent → resource, as a list that reads in this order without its arrows too. */
export function Chain({ subject, resource }: { subject: ShownSubject; resource: string }) {
  return (
    <ol class="chain" aria-label="Who is behind this, and what it acts on">
      {delegation(subject, resource).map(({ role, name, issuer, says }) => (
        <li class={`station ${role}`}>
          <span class="role">
            {roles[role]} <span class="says">{says}</span>
          </span>
          <span class="name">
            <Data text={name} />
          </span>
          {issuer !== null && (
            <span class="issuer">
              <Data text={issuer} />
            </span>
          )}
        </li>
      ))}
    </ol>
  )
}
