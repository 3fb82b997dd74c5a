import type { Approval, Me } from '../api/types.ts'
import { actorAndPerson } from './delegation.ts'
import { isMine } from './mine.ts'

/**
 * What the inbox shows, as it stands in the address:
 * `?q=refund&risk=high&resource=crm&state=denied&mine=yes`.
 */
export const filterNames = ['q', 'risk', 'resource', 'state', 'mine'] as const

export type InboxFilter = Readonly<Record<(typeof filterNames)[number], string>>

export function inboxFilter(query: URLSearchParams): InboxFilter {
  const of = (name: string) => query.get(name) ?? ''
  return {
    q: of('q'),
    risk: of('risk'),
    resource: of('resource'),
    state: of('state'),
    mine: of('mine'),
  }
}

/** Everything that a person would search for by what they remember of it. */
function words(approval: Approval): string {
  const { action, rules, reason, agent_reason, id } = approval
  const { actor, person } = actorAndPerson(action.subject)
  return [action.summary, actor, person, action.resource, ...rules, reason, agent_reason, id]
    .join('\n')
    .toLowerCase()
}

/** Those that pass; every word of `q` has to occur. */
export function filtered(
  approvals: readonly Approval[],
  { q, risk, resource, state, mine }: InboxFilter,
  me: Me,
): Approval[] {
  const wanted = q.toLowerCase().split(/\s+/).filter(Boolean)
  return approvals.filter(
    (approval) =>
      (risk === '' || approval.risk === risk) &&
      (resource === '' || approval.action.resource === resource) &&
      (state === '' || approval.state === state) &&
      (mine === '' || isMine(me, approval)) &&
      wanted.every((word) => words(approval).includes(word)),
  )
}
