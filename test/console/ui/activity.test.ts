import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../../src/console/ui/api/types.ts'
import {
  activityFilter,
  eventQuery,
  spanOf,
} from '../../../src/console/ui/state/activity-filter.ts'
import { facetsOf } from '../../../src/console/ui/state/facets.ts'
import { ruleLine } from '../../../src/console/ui/state/rule-line.ts'
import { stepOfEvent, stepsOfApproval } from '../../../src/console/ui/state/steps.ts'
import { joined } from '../../../src/console/ui/state/joined.ts'
import { approval, vote, votedOn } from '../approvals.ts'

const filter = (query: string) => activityFilter(new URLSearchParams(query))
const now = Date.parse('2026-11-22T12:00:00Z')

describe('what is searched for', () => {
  test('a range is counted from now', () => {
    expect(spanOf(filter('since=1h'), now)).toEqual({ from: '2026-11-22T11:00:00.000Z' })
    expect(spanOf(filter('since=nonsense'), now)).toEqual({})
  })
  test('exact times win, and what is no time is left to the gateway to refuse', () => {
    expect(spanOf(filter('since=1h&from=2026-11-01T00:00:00Z&to=soon'), now)).toEqual({
      from: '2026-11-01T00:00:00.000Z',
      to: 'soon',
    })
  })
  test('only what is given is asked for, and no single letter', () => {
    expect(String(eventQuery(filter('q=x&subject=a&page=7'), now))).toBe('subject=a')
    expect(String(eventQuery(filter('q=%20refund%20&decision=deny'), now))).toBe(
      'q=refund&decision=deny',
    )
  })
})

const event = (changes: Partial<AuditEvent>): AuditEvent => ({
  id: 'e',
  time: '2026-11-22T12:00:00.000Z',
  type: 'action.decided',
  ...changes,
})

test('pages that overlap have each event once, in order', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => event({ id }))
  expect(joined([a!, b!], [b!, c!]).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
})

test('facets count what is loaded; what is chosen stays, and is first', () => {
  const events = [
    event({ decision: 'allow', resource: 'crm' }),
    event({ decision: 'allow' }),
    event({ decision: 'deny' }),
  ]
  const [decision] = facetsOf(events, filter('decision=hold'))
  expect(decision!.values).toEqual([
    { value: 'hold', times: 0 },
    { value: 'allow', times: 2 },
    { value: 'deny', times: 1 },
  ])
})

describe('an event in words', () => {
  test.each<[Partial<AuditEvent>, string]>([
    [{ decision: 'allow' }, 'Allowed'],
    [{ decision: 'deny', enforced: false }, 'Would have been denied'],
    [{ type: 'action.completed', outcome: { result: 'unknown' } }, 'Ran: outcome unknown'],
    [{ type: 'approval.voted', details: { vote: 'deny' } }, 'Voted to deny'],
    [{ type: 'approval.voted', details: { vote: 'approve' } }, 'Voted to approve'],
    [{ type: 'approval.resolved', details: { state: 'expired' } }, 'Decided: expired'],
    [{ type: 'approval.resolved', details: { state: 'constructor' } }, 'Decided'],
    [{ type: 'constructor' }, 'constructor'],
    [{ type: 'brand.new' }, 'brand.new'],
  ])('%j: %s', (changes, title) => {
    expect(stepOfEvent(event(changes)).title).toBe(title)
  })

  test('a decision is told by who took it, not by whom it is about', () => {
    const step = stepOfEvent(
      event({
        type: 'approval.resolved',
        subject: { ...approval().action.subject },
        details: { state: 'denied', by: { issuer: 'i', subject: 'dana' }, reason: 'No.' },
      }),
    )
    expect(step).toMatchObject({ who: 'dana', says: 'No.', tone: 'bad' })
  })
})

test('an approval tells its story without the log: one line a person, in order', () => {
  const late = vote({ subject: 'omar', name: 'Omar', decision: 'deny', at: '2026-11-21T12:03:00Z' })
  const it = votedOn(approval({ state: 'denied', resolved_at: '2026-11-21T12:03:00Z' }), [
    late,
    vote(),
  ])
  const twice = { ...it, requirements: [...it.requirements, ...it.requirements] }
  expect(stepsOfApproval(twice).map(({ title, who }) => `${title} ${who}`)).toEqual([
    'Asked for approval support-agent',
    'Approved Dana Okafor',
    'Denied Omar',
  ])
  const expired = approval({ state: 'expired', resolved_at: '2026-11-21T12:15:00Z' })
  expect(stepsOfApproval(expired).at(-1)).toMatchObject({ title: 'Expired', who: null })
})

test.each<[string, string, number | null]>([
  ['rules:\n  - name: a\n  - name: b', 'b', 3],
  ['rules:\n  - then: allow\n    name: "a b" # why', 'a b', 3],
  ['rules:\n  - name: ab', 'a', null],
])('in %j the rule %s is on line %s', (text, rule, line) => {
  expect(ruleLine(text, rule)).toBe(line)
})
