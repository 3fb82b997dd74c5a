import type { EventInput } from '../core/event.ts'
import type { Instruments } from './instruments.ts'

/**
 * The members of an event that become labels. Subjects, paths and digests do not, since nothing
 * limits how many there are.
 */
export type Counted = Pick<
  EventInput,
  'type' | 'resource' | 'decision' | 'enforced' | 'reason' | 'outcome'
> & {
  readonly approval?: string
}

const seconds = {
  ofRuns: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  ofPeople: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400],
}

type Counters = ReturnType<typeof countersOf>

const countersOf = (make: Instruments) => ({
  decisions: make.counter(
    'decisions_total',
    'Decisions on record, one for each attempt of an action.',
    ['resource', 'verdict'],
  ),
  notEnforced: make.counter(
    'decisions_not_enforced_total',
    'Those of them that would have denied or held the action, which ran: its resource is only observed.',
    ['resource', 'verdict'],
  ),
  runs: make.histogram(
    'action_duration_seconds',
    'From the permit to the end of the answer, by what became of the action.',
    ['resource', 'outcome'],
    seconds.ofRuns,
  ),
  errors: make.counter(
    'action_errors_total',
    'Runs without a whole answer of the upstream, by problem code.',
    ['resource', 'error'],
  ),
  bytes: make.counter(
    'action_bytes_total',
    'Bytes of the answers to actions that have ended; of a COPY, bytes of its rows.',
    ['resource'],
  ),
  rows: make.counter(
    'action_rows_total',
    'Rows that statements returned or changed, once they have ended.',
    ['resource'],
  ),
  unknown: make.counter(
    'unknown_outcomes_total',
    'Actions that may or may not have had their effect: somebody has to look.',
    ['resource'],
  ),
  requested: make.counter('approvals_requested_total', 'Approvals that were opened.', ['resource']),
  brokenGlass: make.counter(
    'glass_broken_total',
    'Actions that one person released alone, in an emergency.',
    ['resource'],
  ),
  resolved: make.counter(
    'approvals_resolved_total',
    'Approvals that were decided, or ended undecided, by state.',
    ['resource', 'state'],
  ),
  decisionTime: make.histogram(
    'approval_decision_seconds',
    'From the request to the vote that decided it.',
    ['state'],
    seconds.ofPeople,
  ),
  voteRefusals: make.counter('vote_refusals_total', 'Votes that did not count, by problem code.', [
    'reason',
  ]),
  rejections: make.counter(
    'policy_rejections_total',
    'Changes of the policies that have mistakes, so that the ones before stay in force.',
  ),
})

/**
 * Counts what happened from the audit events, so that a dashboard cannot disagree with the log. The
 * function that it returns is to be called once for each event, by the replica that made it
 * durable. `resources`: the configured names. Their counters begin at 0, so that the first event
 * shows as an increase.
 */
export function countEvents(
  make: Instruments,
  resources: readonly string[],
): (event: Counted) => void {
  const counters = countersOf(make)
  for (const resource of resources) {
    for (const verdict of ['allow', 'deny', 'hold'])
      counters.decisions.inc({ resource, verdict }, 0)
    for (const verdict of ['deny', 'hold']) counters.notEnforced.inc({ resource, verdict }, 0)
    counters.unknown.inc({ resource }, 0)
    counters.resolved.inc({ resource, state: 'expired' }, 0)
    counters.brokenGlass.inc({ resource }, 0)
  }
  counters.voteRefusals.inc({ reason: 'self-approval' }, 0)

  return (event) => {
    const { type, resource = '', decision, enforced, reason = '', outcome, approval } = event
    switch (type) {
      case 'action.decided':
        counters.decisions.inc({ resource, verdict: decision! })
        if (enforced === false) counters.notEnforced.inc({ resource, verdict: decision! })
        break
      case 'action.completed':
        ran(counters, resource, outcome!)
        break
      case 'approval.requested':
        counters.requested.inc({ resource })
        break
      case 'approval.resolved':
        ended(counters, resource, reason.replace(/^approval-/, ''), approval!)
        break
      case 'approval.broken_glass':
        counters.brokenGlass.inc({ resource })
        break
      case 'approval.vote_refused':
        counters.voteRefusals.inc({ reason })
        break
      case 'policy.rejected':
        counters.rejections.inc()
        break
      default:
    }
  }
}

function ran(counters: Counters, resource: string, outcome: NonNullable<Counted['outcome']>): void {
  const { result, duration_ms, bytes = 0, rows = 0, error } = outcome
  if (duration_ms !== undefined)
    counters.runs.observe({ resource, outcome: result }, duration_ms / 1000)
  if (bytes > 0) counters.bytes.inc({ resource }, bytes)
  if (rows > 0) counters.rows.inc({ resource }, rows)
  if (error !== undefined) counters.errors.inc({ resource, error })
  if (result === 'unknown') counters.unknown.inc({ resource })
}

function ended(counters: Counters, resource: string, state: string, approval: string): void {
  counters.resolved.inc({ resource, state })
  if (state !== 'approved' && state !== 'denied') return
  const since = Date.now() - timeOf(approval)
  counters.decisionTime.observe({ state }, Math.max(0, since) / 1000)
}

/** When a UUIDv7 was made, in milliseconds since the epoch (RFC 9562 §5.7). */
function timeOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)
}
