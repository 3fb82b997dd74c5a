import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { Approval, AuditEvent } from '../api/types.ts'
import { count } from '../text/count.ts'
import { decisionInWords, eventInWords, outcomeInWords, states, type Tone } from '../text/words.ts'

/**
 * One thing that happened, for people. Every member but `at`, `tone` and `title` can hold what
 * somebody else wrote.
 */
export interface Step {
  readonly key: string
  readonly at: string
  readonly tone: Tone
  /** Words of ours. */
  readonly title: string
  readonly who: string | null
  /** Their reason, as they gave it. */
  readonly says: string | null
  readonly more: readonly string[]
}

/** What is known about an approval from itself, for people who may not read the audit log. */
export function stepsOfApproval(approval: Approval): Step[] {
  const { action, created_at, requirements, broken_glass, resolution, resolved_at } = approval
  const { state, outcome } = approval
  const asked: Step = {
    key: 'asked',
    at: created_at,
    tone: 'waiting',
    title: 'Asked for approval',
    who: action.subject.subject,
    says: approval.agent_reason,
    more: [],
  }
  const all = requirements.flatMap(({ votes }) => votes)
  const votes = [...new Map(all.map((vote) => [`${vote.issuer} ${vote.subject}`, vote])).values()]
  const voted = [...votes, ...(broken_glass ? [broken_glass] : [])].map(
    ({ name, issuer, subject, decision, reason, channel, at }): Step => ({
      key: `${decision} ${issuer} ${subject}`,
      at,
      tone: { approve: 'good', deny: 'bad', break_glass: 'alarm' }[decision] as Tone,
      title: { approve: 'Approved', deny: 'Denied', break_glass: 'Glass broken' }[decision],
      who: name,
      says: reason,
      more: [`through ${channel}`],
    }),
  )
  // What people decided is there already, as their votes.
  const byItself = resolved_at !== null && ['expired', 'cancelled', 'invalidated'].includes(state)
  const ended: Step[] = byItself
    ? [
        {
          key: 'ended',
          at: resolved_at,
          tone: states[state].tone,
          title: states[state].word,
          who: resolution?.by?.subject ?? null,
          says: resolution?.reason ?? null,
          more: [],
        },
      ]
    : []
  const ran: Step[] = outcome
    ? [
        {
          key: 'ran',
          at: resolved_at ?? created_at,
          tone: states[outcome.result].tone,
          title: `Ran: ${states[outcome.result].word.toLowerCase()}`,
          who: null,
          says: null,
          more: [outcomeInWords(outcome)].filter(Boolean),
        },
      ]
    : []
  return [asked, ...voted.toSorted((a, b) => a.at.localeCompare(b.at)), ...ended, ...ran]
}

const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : null)

function titleOf({ type, decision, enforced, details, outcome }: AuditEvent): {
  title: string
  tone: Tone
} {
  if (type === 'action.decided' && decision) return decisionInWords(decision, enforced !== false)
  if (type === 'action.completed' && outcome) {
    const { tone, word } = states[outcome.result]
    return { tone, title: `Ran: ${word.toLowerCase()}` }
  }
  if (type === 'approval.voted' && details?.['vote'] === 'deny') {
    return { tone: 'bad', title: 'Voted to deny' }
  }
  const state = text(details?.['state'])
  if (type === 'approval.resolved' && state !== null && Object.hasOwn(states, state)) {
    const { tone, word } = states[state as keyof typeof states]
    return { tone, title: `Decided: ${word.toLowerCase()}` }
  }
  return eventInWords(type)
}

/** One event of the audit log. */
export function stepOfEvent(event: AuditEvent): Step {
  const { id, time, type, subject, details, outcome, reason, rules, usage } = event
  const by = details?.['by'] as JsonObject | null | undefined
  const channel = text(details?.['channel'])
  return {
    key: id,
    at: time,
    ...titleOf(event),
    // Who decided, where it is the decision that the event is about.
    who: type === 'approval.resolved' ? text(by?.['subject']) : (subject?.subject ?? null),
    says: text(details?.['agent_reason']) ?? text(details?.['reason']),
    more: [
      rules?.length ? rules.join(', ') : null,
      reason ?? null,
      outcome ? outcomeInWords(outcome) : null,
      usage?.tables?.length
        ? `${count(usage.tables.length, 'table')}: ${usage.tables.join(', ')}`
        : null,
      usage?.datasets?.length ? `touches ${usage.datasets.join(', ')}` : null,
      usage?.tokens_in === undefined
        ? (usage?.unread ?? null)
        : `${count(usage.tokens_in + (usage.tokens_out ?? 0), 'token')} of ${usage.model ?? 'a model'}`,
      channel && `through ${channel}`,
    ].filter((one): one is string => one !== null && one !== ''),
  }
}
