import { collectDefaultMetrics } from 'prom-client'
import { version } from '../core/version.ts'
import { countEvents, type Counted } from './count-events.ts'
import { Instruments } from './instruments.ts'
import { showFacts, type Facts } from './show-facts.ts'

/** Upper bounds of the histogram's buckets for one flush, in seconds. */
const ofFlushes = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/**
 * What Prometheus reads; docs/metrics.md says what each of them means. What happened is counted
 * from the audit events, each once, by the replica that made it durable, so that a dashboard cannot
 * disagree with the log.
 */
export class Metrics {
  readonly #make = new Instruments()
  readonly #showFacts = showFacts(this.#make)
  /** An event is durable. */
  readonly recorded: (event: Counted) => void

  readonly #refusals = this.#make.counter(
    'authentication_refusals_total',
    'Credentials that proved nothing, by reason.',
    ['reason'],
  )
  readonly #events = this.#make.counter(
    'audit_events_total',
    'Audit events that were made durable.',
  )
  readonly #flushes = this.#make.histogram(
    'audit_flush_seconds',
    'Time of one commit of the audit log, with every event in it.',
    [],
    ofFlushes,
  )
  readonly #appendFailures = this.#make.counter(
    'audit_append_failures_total',
    'Events that were not durable in time: what waited for them did not run, or has no outcome yet.',
  )
  readonly #spansDropped = this.#make.counter(
    'trace_spans_dropped_total',
    'Spans that no collector took.',
  )
  readonly #logSize = this.#make.gauge(
    'audit_log_events',
    'Events under the newest checkpoint that this replica signed.',
  )
  readonly #logSigned = this.#make.gauge(
    'audit_checkpoint_timestamp_seconds',
    'When that was, in seconds since the epoch. One of the replicas signs every five seconds.',
  )
  readonly #build = this.#make.gauge('build_info', '1, with the version.', ['version'])
  readonly #sessions = this.#make.gauge(
    'database_sessions',
    'Sessions of agents that are open on a database.',
    ['resource'],
  )
  readonly #notices = this.#make.counter(
    'notices_total',
    'Attempts to post or edit a message about an approval, by channel and result.',
    ['channel', 'result'],
  )
  readonly #deliveries = this.#make.counter(
    'audit_deliveries_total',
    'Batches of the audit log that this replica tried to deliver, by result.',
    ['delivery', 'result'],
  )
  readonly #backgroundDeaths = this.#make.counter(
    'background_restarts_total',
    'Times that the thread behind the audit log ended, and was started again.',
  )

  /**
   * `resources`: the configured names. Their counters begin at 0, so that the first event shows as
   * an increase.
   */
  constructor(resources: readonly string[] = []) {
    this.#build.set({ version }, 1)
    this.recorded = countEvents(this.#make, resources)
  }

  /**
   * Adds the metrics that every Node.js process has: event loop, memory, CPU. They are measured
   * continuously, so it is to be called once in a process.
   */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#make.registry })
  }

  /** A checkpoint of the transparency log has been stored. */
  checkpointed({ size, signedAt }: { size: number; signedAt: Date }): void {
    this.#logSize.set(size)
    this.#logSigned.set(signedAt.getTime() / 1_000)
  }

  /** `ms`: how long the commit of that many events took. */
  flushed(events: number, ms: number): void {
    this.#events.inc(events)
    this.#flushes.observe(ms / 1000)
  }

  notRecorded(): void {
    this.#appendFailures.inc()
  }

  /** The thread behind the audit log has ended by itself. */
  backgroundDied(): void {
    this.#backgroundDeaths.inc()
  }

  /** There was an attempt to send something to a channel. */
  attempted({ channel, delivered }: { channel: string; delivered: boolean }): void {
    this.#notices.inc({ channel, result: delivered ? 'delivered' : 'failed' })
  }

  /** There was an attempt to deliver a batch of the audit log. */
  delivered({ delivery, delivered }: { delivery: string; delivered: boolean }): void {
    this.#deliveries.inc({ delivery, result: delivered ? 'delivered' : 'failed' })
  }

  /** The number of open sessions on a database has changed by `more`, which can be negative. */
  sessions(resource: string, more: number): void {
    this.#sessions.inc({ resource }, more)
  }

  spansDropped(spans: number): void {
    this.#spansDropped.inc(spans)
  }

  refused(reason: string): void {
    this.#refusals.inc({ reason })
  }

  /** The names of all metrics: ours, and those that every Node.js process has. */
  get names(): readonly string[] {
    return this.#make.registry.getMetricsAsArray().map(({ name }) => name)
  }

  get contentType(): string {
    return this.#make.registry.contentType
  }

  /** In the text format of Prometheus. */
  text(facts: Facts): Promise<string> {
    this.#showFacts(facts)
    return this.#make.registry.metrics()
  }
}
