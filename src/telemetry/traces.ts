import { randomBytes } from 'node:crypto'
import type { Log } from './log.ts'
import { exportRequest, type Attributes, type FinishedSpan } from './otlp.ts'

/**
 * The most spans that wait for a collector, beyond which they are dropped, and the most in one
 * batch.
 */
const mostWaiting = 4_096
const batch = 512
/**
 * In milliseconds: the time between two batches, and the longest that a collector may take for one.
 */
const pause = 2_000
const patience = 10_000

interface Options {
  /** The address to which spans are posted: `http://collector:4318/v1/traces`. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  /** The name of this replica. */
  readonly instance: string
  readonly log: Log
  /** Called with the number of spans that were dropped. */
  readonly onDropped: (spans: number) => void
}

/** The place of a span in its trace (W3C Trace Context). */
export interface SpanContext {
  readonly id: string
  /** The caller's span, or `null` where the trace begins here. */
  readonly parent: string | null
  readonly sampled: boolean
}

/**
 * Exports the spans of actions to an OpenTelemetry collector. No action waits for the collector:
 * spans that it does not take are dropped and counted. A span says what the gateway did, and
 * nothing about the content of a request.
 */
export class Traces {
  readonly #options: Options
  readonly #timer: NodeJS.Timeout
  // Owned by add() and #flush().
  #waiting: FinishedSpan[] = []
  #flushing: Promise<void> | null = null
  #away = false

  constructor(options: Options) {
    this.#options = options
    this.#timer = setInterval(() => void this.#flushSoon(), pause)
    this.#timer.unref()
  }

  /** Begins the span of an action; `null` where the caller does not want its trace recorded. */
  begin(context: SpanContext, attributes: Attributes): ActionSpan | null {
    return context.sampled ? new ActionSpan(this, context, attributes) : null
  }

  add(spans: readonly FinishedSpan[]): void {
    if (this.#waiting.length + spans.length > mostWaiting) {
      this.#options.onDropped(spans.length)
      return
    }
    this.#waiting.push(...spans)
    if (this.#waiting.length >= batch) void this.#flushSoon()
  }

  /** Tries once to send the spans that are left. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#flushing
    await this.#flushSoon()
  }

  #flushSoon(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = null))
    return this.#flushing
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const spans = this.#waiting.splice(0, batch)
      if (await this.#send(spans)) continue
      this.#options.onDropped(spans.length)
      return
    }
  }

  async #send(spans: readonly FinishedSpan[]): Promise<boolean> {
    const { endpoint, headers, instance, log } = this.#options
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(exportRequest(spans, instance)),
        signal: AbortSignal.timeout(patience),
        redirect: 'error',
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`the collector answered ${response.status}`)
      this.#away = false
      return true
    } catch (error) {
      // Deliberately ignored: nothing depends on spans. The audit log is what counts.
      if (!this.#away) log.warn({ err: error }, 'spans cannot be exported, and are dropped')
      this.#away = true
      return false
    }
  }
}

type Phase = 'decision' | 'wait' | 'upstream'

/** The span of one action, with one child span after the other for its phases. */
export class ActionSpan {
  readonly #traces: Traces
  readonly #context: SpanContext
  /** 16 hexadecimal digits. */
  readonly id = spanId()
  readonly #begun = now()
  readonly #children: FinishedSpan[] = []
  // Owned by note().
  #attributes: Attributes
  #ended = false
  // Owned by enter() and end().
  #phase: { readonly name: Phase; readonly spanId: string; readonly begun: number } | null = null

  constructor(traces: Traces, context: SpanContext, attributes: Attributes) {
    this.#traces = traces
    this.#context = context
    this.#attributes = attributes
  }

  /**
   * Begins a phase, and ends the one before it, if any. `id`: the id of the phase's span, where the
   * upstream has been told it.
   */
  enter(name: Phase, id: string = spanId()): void {
    this.#leave(false)
    this.#phase = { name, spanId: id, begun: now() }
  }

  /** Adds attributes that have become known. */
  note(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes }
  }

  /** Ends the span. Only the first call counts. */
  end(attributes: Attributes, failed: boolean): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave(failed)
    const { id: traceId, parent: parentSpanId } = this.#context
    const own: FinishedSpan = {
      traceId,
      spanId: this.id,
      parentSpanId,
      name: 'sallyport.action',
      kind: 'server',
      begun: this.#begun,
      ended: now(),
      attributes: { ...this.#attributes, ...attributes },
      failed,
    }
    this.#traces.add([own, ...this.#children])
  }

  #leave(failed: boolean): void {
    if (!this.#phase) return
    const { name, spanId, begun } = this.#phase
    this.#phase = null
    this.#children.push({
      traceId: this.#context.id,
      spanId,
      parentSpanId: this.id,
      name: `sallyport.${name}`,
      kind: name === 'upstream' ? 'client' : 'internal',
      begun,
      ended: now(),
      attributes: {},
      failed,
    })
  }
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

function spanId(): string {
  return randomBytes(8).toString('hex')
}
