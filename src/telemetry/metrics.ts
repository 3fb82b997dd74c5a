import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EventInput } from '../core/event.ts'
import { version } from '../core/version.ts'

/** What is so at the moment of a scrape; nobody keeps count of it in between. */
export interface Facts {
  readonly storeKind: string
  readonly leaseHeld: boolean
  readonly policy: { readonly hash: string; readonly rules: number }
  /** Requests that wait for people on this replica. */
  readonly holdsWaiting: number
  /** Events that wait to be written. */
  readonly auditQueue: number
  /** By state, on all replicas; `null` when the store does not answer. */
  readonly openApprovals: ReadonlyMap<string, number> | null
  /** What waits to be told outside, on all replicas; `null` when the store does not answer. */
  readonly channels:
    | readonly {
        readonly channel: string
        readonly waiting: number
        readonly oldest: Date | null
      }[]
    | null
  /** Deliveries of the audit log that are configured, on all replicas; `null` when the store does not answer. */
  readonly deliveries:
    | readonly {
        readonly name: string
        readonly lag: number
        readonly waitingSince: Date | null
      }[]
    | null
}

/** Of an event: what is counted. Subjects, paths and digests are not, since nobody limits how many there are. */
export type Counted = Pick<
  EventInput,
  'type' | 'resource' | 'decision' | 'enforced' | 'reason' | 'outcome'
> & {
  readonly approval?: string
}

const seconds = {
  ofRuns: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  ofPeople: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400],
  ofFlushes: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
}

/**
 * What Prometheus reads; docs/metrics.md says what each of them means. What happened is counted from the audit events, each once, by the replica that made
 * it durable: a dashboard cannot say anything else than the log.
 */
export class Metrics {
  readonly #registry = new Registry()

  readonly #decisions = this.#counter(
    'decisions_total',
    'Decisions on record, one for each attempt of an action.',
    ['resource', 'verdict'],
  )
  readonly #notEnforced = this.#counter(
    'decisions_not_enforced_total',
    'Those of them that would have denied or held the action, which ran: its resource is only observed.',
    ['resource', 'verdict'],
  )
  readonly #runs = this.#histogram(
    'action_duration_seconds',
    'From the permit to the end of the answer, by what became of the action.',
    ['resource', 'outcome'],
    seconds.ofRuns,
  )
  readonly #errors = this.#counter(
    'action_errors_total',
    'Runs without a whole answer of the upstream, by problem code.',
    ['resource', 'error'],
  )
  readonly #bytes = this.#counter(
    'action_bytes_total',
    'Bytes of the answers to actions that have ended; of a COPY, bytes of its rows.',
    ['resource'],
  )
  readonly #rows = this.#counter(
    'action_rows_total',
    'Rows that statements returned or changed, once they have ended.',
    ['resource'],
  )
  readonly #unknown = this.#counter(
    'unknown_outcomes_total',
    'Actions that may or may not have had their effect: somebody has to look.',
    ['resource'],
  )
  readonly #requested = this.#counter('approvals_requested_total', 'Approvals that were opened.', [
    'resource',
  ])
  readonly #brokenGlass = this.#counter(
    'glass_broken_total',
    'Actions that one person released alone, in an emergency.',
    ['resource'],
  )
  readonly #resolved = this.#counter(
    'approvals_resolved_total',
    'Approvals that were decided, or ended undecided, by state.',
    ['resource', 'state'],
  )
  readonly #decisionTime = this.#histogram(
    'approval_decision_seconds',
    'From the request to the vote that decided it.',
    ['state'],
    seconds.ofPeople,
  )
  readonly #voteRefusals = this.#counter(
    'vote_refusals_total',
    'Votes that did not count, by problem code.',
    ['reason'],
  )
  readonly #refusals = this.#counter(
    'authentication_refusals_total',
    'Credentials that proved nothing, by reason.',
    ['reason'],
  )
  readonly #rejections = this.#counter(
    'policy_rejections_total',
    'Changes of the policies that have mistakes, so that the ones before stay in force.',
  )
  readonly #events = this.#counter('audit_events_total', 'Audit events that were made durable.')
  readonly #flushes = this.#histogram(
    'audit_flush_seconds',
    'Time of one commit of the audit log, with every event in it.',
    [],
    seconds.ofFlushes,
  )
  readonly #appendFailures = this.#counter(
    'audit_append_failures_total',
    'Events that were not durable in time: what waited for them did not run, or has no outcome yet.',
  )
  readonly #spansDropped = this.#counter(
    'trace_spans_dropped_total',
    'Spans that no collector took.',
  )

  readonly #logSize = this.#gauge(
    'audit_log_events',
    'Events under the newest checkpoint that this replica signed.',
  )
  readonly #logSigned = this.#gauge(
    'audit_checkpoint_timestamp_seconds',
    'When that was, in seconds since the epoch. One of the replicas signs every five seconds.',
  )

  readonly #build = this.#gauge('build_info', '1, with the version.', ['version'])
  readonly #store = this.#gauge('store_info', '1, with the kind of store.', ['kind'])
  readonly #storeUp = this.#gauge('store_up', '1 if the store answered this scrape in time.')
  readonly #lease = this.#gauge(
    'lease_held',
    '1 while this replica may act. At 0 it forwards nothing.',
  )
  readonly #policy = this.#gauge('policy_info', '1, with the hash of the policies in force.', [
    'hash',
  ])
  readonly #rules = this.#gauge('policy_rules', 'Rules in force.')
  readonly #holds = this.#gauge(
    'holds_waiting',
    'Requests that wait for people on connections of this replica.',
  )
  readonly #sessions = this.#gauge(
    'database_sessions',
    'Sessions of agents that are open on a database.',
    ['resource'],
  )
  readonly #open = this.#gauge(
    'approvals_open',
    'Approvals that have not ended, by state. All replicas see the same ones.',
    ['state'],
  )
  readonly #queue = this.#gauge('audit_queue_events', 'Audit events that wait to be written.')
  readonly #notices = this.#counter(
    'notices_total',
    'Attempts to post or edit a message about an approval, by channel and result.',
    ['channel', 'result'],
  )
  readonly #noticesWaiting = this.#gauge(
    'notices_waiting',
    'Messages that are due and not delivered. All replicas see the same ones.',
    ['channel'],
  )
  readonly #noticesAge = this.#gauge(
    'notices_oldest_seconds',
    'How long the oldest of them has been waiting.',
    ['channel'],
  )

  readonly #deliveries = this.#counter(
    'audit_deliveries_total',
    'Batches of the audit log that this replica tried to deliver, by result.',
    ['delivery', 'result'],
  )
  readonly #deliveryLag = this.#gauge(
    'audit_delivery_lag_events',
    'Events that are signed and not delivered. All replicas see the same ones.',
    ['delivery'],
  )
  readonly #deliveryAge = this.#gauge(
    'audit_delivery_lag_seconds',
    'How long the first of them has been in the log.',
    ['delivery'],
  )

  /** `resources`: the configured names. Their counters begin at 0, so that the first time that something happens is seen as a change. */
  constructor(resources: readonly string[] = []) {
    this.#build.set({ version }, 1)
    for (const resource of resources) {
      for (const verdict of ['allow', 'deny', 'hold']) this.#decisions.inc({ resource, verdict }, 0)
      for (const verdict of ['deny', 'hold']) this.#notEnforced.inc({ resource, verdict }, 0)
      this.#unknown.inc({ resource }, 0)
      this.#resolved.inc({ resource, state: 'expired' }, 0)
      this.#brokenGlass.inc({ resource }, 0)
    }
    this.#voteRefusals.inc({ reason: 'self-approval' }, 0)
  }

  /** Adds what every Node process has: event loop, memory, CPU. It measures all the time, so once in a process is enough. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** A checkpoint of the transparency log is kept. */
  checkpointed({ size, signedAt }: { size: number; signedAt: Date }): void {
    this.#logSize.set(size)
    this.#logSigned.set(signedAt.getTime() / 1_000)
  }

  /** An event is durable. */
  recorded(event: Counted): void {
    const { type, resource = '', decision, enforced, reason = '', outcome, approval } = event
    switch (type) {
      case 'action.decided':
        this.#decisions.inc({ resource, verdict: decision! })
        if (enforced === false) this.#notEnforced.inc({ resource, verdict: decision! })
        break
      case 'action.completed':
        this.#ran(resource, outcome!)
        break
      case 'approval.requested':
        this.#requested.inc({ resource })
        break
      case 'approval.resolved':
        this.#ended(resource, reason.replace(/^approval-/, ''), approval!)
        break
      case 'approval.broken_glass':
        this.#brokenGlass.inc({ resource })
        break
      case 'approval.vote_refused':
        this.#voteRefusals.inc({ reason })
        break
      case 'policy.rejected':
        this.#rejections.inc()
        break
      default:
    }
  }

  /** `ms`: how long the commit of that many events took. */
  flushed(events: number, ms: number): void {
    this.#events.inc(events)
    this.#flushes.observe(ms / 1000)
  }

  notRecorded(): void {
    this.#appendFailures.inc()
  }

  /** A channel was told something, or was not. */
  attempted({ channel, delivered }: { channel: string; delivered: boolean }): void {
    this.#notices.inc({ channel, result: delivered ? 'delivered' : 'failed' })
  }

  /** A batch of the audit log was delivered, or was not. */
  delivered({ delivery, delivered }: { delivery: string; delivered: boolean }): void {
    this.#deliveries.inc({ delivery, result: delivered ? 'delivered' : 'failed' })
  }

  /** So many sessions more are open on a database, or, negative, fewer. */
  sessions(resource: string, more: number): void {
    this.#sessions.inc({ resource }, more)
  }

  spansDropped(spans: number): void {
    this.#spansDropped.inc(spans)
  }

  refused(reason: string): void {
    this.#refusals.inc({ reason })
  }

  /** The names of ours, and of those that every Node process has. */
  get names(): readonly string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** In the text format of Prometheus. */
  text(facts: Facts): Promise<string> {
    const { storeKind, leaseHeld, policy, holdsWaiting, auditQueue, openApprovals } = facts
    this.#store.set({ kind: storeKind }, 1)
    this.#storeUp.set(Number(openApprovals !== null))
    this.#lease.set(Number(leaseHeld))
    this.#policy.reset()
    this.#policy.set({ hash: policy.hash }, 1)
    this.#rules.set(policy.rules)
    this.#holds.set(holdsWaiting)
    this.#queue.set(auditQueue)
    // Without an answer there is no number: the last one would be taken for the current one.
    this.#open.reset()
    for (const [state, count] of openApprovals ?? []) this.#open.set({ state }, count)
    this.#noticesWaiting.reset()
    this.#noticesAge.reset()
    for (const { channel, waiting, oldest } of facts.channels ?? []) {
      this.#noticesWaiting.set({ channel }, waiting)
      this.#noticesAge.set({ channel }, ageOf(oldest))
    }
    this.#deliveryLag.reset()
    this.#deliveryAge.reset()
    for (const { name: delivery, lag, waitingSince } of facts.deliveries ?? []) {
      this.#deliveryLag.set({ delivery }, lag)
      this.#deliveryAge.set({ delivery }, ageOf(waitingSince))
    }
    return this.#registry.metrics()
  }

  #ran(resource: string, outcome: NonNullable<Counted['outcome']>): void {
    const { result, duration_ms, bytes = 0, rows = 0, error } = outcome
    if (duration_ms !== undefined)
      this.#runs.observe({ resource, outcome: result }, duration_ms / 1000)
    if (bytes > 0) this.#bytes.inc({ resource }, bytes)
    if (rows > 0) this.#rows.inc({ resource }, rows)
    if (error !== undefined) this.#errors.inc({ resource, error })
    if (result === 'unknown') this.#unknown.inc({ resource })
  }

  #ended(resource: string, state: string, approval: string): void {
    this.#resolved.inc({ resource, state })
    if (state !== 'approved' && state !== 'denied') return
    const since = Date.now() - timeOf(approval)
    this.#decisionTime.observe({ state }, Math.max(0, since) / 1000)
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[] = []) {
    return new Counter({ name: `sallyport_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[] = []) {
    return new Gauge({ name: `sallyport_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) {
    const named = { name: `sallyport_${name}`, help, labelNames, buckets }
    return new Histogram({ ...named, registers: [this.#registry] })
  }
}

/** In seconds; 0 for what there is none of. */
function ageOf(since: Date | null): number {
  return since ? Math.max(0, Date.now() - since.getTime()) / 1000 : 0
}

/** When a UUIDv7 was made, in milliseconds since the epoch (RFC 9562 §5.7). */
function timeOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)
}
