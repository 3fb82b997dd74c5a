import type { Instruments } from './instruments.ts'

/** The state at the moment of a scrape. Nothing keeps count of it between two scrapes. */
export interface Facts {
  readonly storeKind: string
  readonly leaseHeld: boolean
  readonly policy: { readonly hash: string; readonly rules: number }
  /** Requests on this replica that wait for a person's decision. */
  readonly holdsWaiting: number
  /** Events that wait to be written. */
  readonly auditQueue: number
  /** The thread that does the work behind the audit log is running. */
  readonly backgroundUp: boolean
  /**
   * Events of all replicas that wait for each part of that work; `null` when the store does not
   * answer.
   */
  readonly backlog: ReadonlyMap<string, number> | null
  /** Rows of the log that cannot be read as events; `null` when the store does not answer. */
  readonly unreadable: number | null
  /** Open approvals of all replicas, by state; `null` when the store does not answer. */
  readonly openApprovals: ReadonlyMap<string, number> | null
  /**
   * Notices of all replicas that wait to be sent to channels; `null` when the store does not
   * answer.
   */
  readonly channels:
    | readonly {
        readonly channel: string
        readonly waiting: number
        readonly oldest: Date | null
      }[]
    | null
  /**
   * The configured deliveries of the audit log, for all replicas; `null` when the store does not
   * answer.
   */
  readonly deliveries:
    | readonly {
        readonly name: string
        readonly lag: number
        readonly waitingSince: Date | null
      }[]
    | null
}

const gaugesOf = (make: Instruments) => ({
  store: make.gauge('store_info', '1, with the kind of store.', ['kind']),
  storeUp: make.gauge('store_up', '1 if the store answered this scrape in time.'),
  lease: make.gauge('lease_held', '1 while this replica may act. At 0 it forwards nothing.'),
  policy: make.gauge('policy_info', '1, with the hash of the policies in force.', ['hash']),
  rules: make.gauge('policy_rules', 'Rules in force.'),
  holds: make.gauge(
    'holds_waiting',
    'Requests that wait for people on connections of this replica.',
  ),
  open: make.gauge(
    'approvals_open',
    'Approvals that have not ended, by state. All replicas see the same ones.',
    ['state'],
  ),
  queue: make.gauge('audit_queue_events', 'Audit events that wait to be written.'),
  background: make.gauge(
    'background_up',
    '1 while somebody is at what is done behind the audit log. At 0 it waits, and nothing else does.',
  ),
  backlog: make.gauge(
    'audit_backlog_events',
    'Durable events that are not in the signed log yet (log), not found by their words (words), or not counted (usage). All replicas see the same ones.',
    ['part'],
  ),
  unreadable: make.gauge(
    'audit_unreadable_events',
    'Events in the log that nobody can read: somebody put something else in their place. All replicas see the same ones.',
  ),
  noticesWaiting: make.gauge(
    'notices_waiting',
    'Messages that are due and not delivered. All replicas see the same ones.',
    ['channel'],
  ),
  noticesAge: make.gauge(
    'notices_oldest_seconds',
    'How long the oldest of them has been waiting.',
    ['channel'],
  ),
  deliveryLag: make.gauge(
    'audit_delivery_lag_events',
    'Events that are signed and not delivered. All replicas see the same ones.',
    ['delivery'],
  ),
  deliveryAge: make.gauge(
    'audit_delivery_lag_seconds',
    'How long the first of them has been in the log.',
    ['delivery'],
  ),
})

/** Makes the gauges of the current state. The function that it returns sets them for a scrape. */
export function showFacts(make: Instruments): (facts: Facts) => void {
  const gauges = gaugesOf(make)
  return (facts) => {
    const { storeKind, leaseHeld, policy, holdsWaiting, auditQueue, openApprovals } = facts
    gauges.store.set({ kind: storeKind }, 1)
    gauges.storeUp.set(Number(openApprovals !== null))
    gauges.lease.set(Number(leaseHeld))
    gauges.policy.reset()
    gauges.policy.set({ hash: policy.hash }, 1)
    gauges.rules.set(policy.rules)
    gauges.holds.set(holdsWaiting)
    gauges.queue.set(auditQueue)
    // Where the store did not answer, no number is shown, because the last one would pass for the
    // current one.
    gauges.open.reset()
    for (const [state, count] of openApprovals ?? []) gauges.open.set({ state }, count)
    gauges.background.set(Number(facts.backgroundUp))
    gauges.backlog.reset()
    for (const [part, events] of facts.backlog ?? []) gauges.backlog.set({ part }, events)
    gauges.unreadable.set(facts.unreadable ?? Number.NaN)
    gauges.noticesWaiting.reset()
    gauges.noticesAge.reset()
    for (const { channel, waiting, oldest } of facts.channels ?? []) {
      gauges.noticesWaiting.set({ channel }, waiting)
      gauges.noticesAge.set({ channel }, ageOf(oldest))
    }
    gauges.deliveryLag.reset()
    gauges.deliveryAge.reset()
    for (const { name: delivery, lag, waitingSince } of facts.deliveries ?? []) {
      gauges.deliveryLag.set({ delivery }, lag)
      gauges.deliveryAge.set({ delivery }, ageOf(waitingSince))
    }
  }
}

/** The age in seconds; 0 for `null`. */
function ageOf(since: Date | null): number {
  return since ? Math.max(0, Date.now() - since.getTime()) / 1000 : 0
}
