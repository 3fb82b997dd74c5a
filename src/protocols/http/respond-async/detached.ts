import type { UnderWay } from '../../../core/under-way.ts'
import type { Prepare } from '../../../gate/detached/begin-detached.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { Traces } from '../../../telemetry/traces.ts'
import { ClientGone } from '../body.ts'
import { forward } from '../forward.ts'
import { KeptAnswer } from './kept-answer.ts'
import { laneOf } from '../lane.ts'
import { ModelMeter } from '../model/meter.ts'
import { outgoingOf } from '../outgoing.ts'
import { pack, unpack } from './packed.ts'
import type { Resource } from '../resource.ts'
import { digestOf, type Payload } from '../seal.ts'
import { asProblem } from '../send-problem.ts'
import { continueTrace } from '../trace.ts'

/**
 * Milliseconds that an answer may take, however steadily it comes, because there is no client that
 * would give up.
 */
const longestRun = 10 * 60_000

type SpooledHead = Payload & {
  /** The span of the held request, which the run continues. */
  readonly traceparent: string
}

/**
 * Everything needed to send a request later, except what the gateway adds. The resource's
 * credential is not in it.
 */
export function spoolOf(payload: Payload, traceparent: string, bytes: Buffer | null): Buffer {
  const head: SpooledHead = { ...payload, traceparent }
  return pack({ head, bytes })
}

interface Parts {
  readonly resources: readonly Resource[]
  /**
   * The scheme and host under which agents know the gateway; `null` where nothing is configured.
   */
  readonly origin: string | null
  /** Bytes of the largest response that is kept. */
  readonly maxResponse: number
  readonly work: UnderWay
  /** Aborts when requests that still run have to be cut off. */
  readonly late: AbortSignal
  readonly traces: Traces | undefined
  readonly log: Log
}

/**
 * Sends spooled requests, byte for byte as they were approved, to their resource as it is
 * configured now.
 */
export function detachedRequests({
  resources,
  origin,
  maxResponse,
  work,
  late,
  traces,
  log,
}: Parts): Prepare {
  return (name, spool) => {
    const resource = resources.find((each) => each.name === name)
    if (!resource) return null
    const { head, bytes } = unpack<SpooledHead>(spool)
    const { traceparent, ...payload } = head
    const digest = digestOf(payload, bytes)
    const trace = continueTrace(traceparent)
    const kept = new KeptAnswer(maxResponse)
    const selected = { bound: payload.headers, volatile: [] }
    return {
      binding: resource.binding,
      digest,
      answer: () => kept.packed(),
      async send(permit) {
        const cut = (): void => kept.cut()
        const timer = setTimeout(cut, longestRun)
        if (late.aborted) cut()
        late.addEventListener('abort', cut)
        work.begin()
        const span = traces?.begin(trace, {
          'sallyport.resource': name,
          'sallyport.action': permit.action.id,
          'http.request.method': payload.method,
        })
        span?.enter('upstream', trace.span)
        try {
          await forward({
            permit,
            digest,
            resource,
            origin,
            lane: laneOf(permit.action.subject),
            outgoing: outgoingOf({
              payload,
              selected,
              resource,
              trace,
              body: null,
              sealed: { bytes },
            }),
            response: kept,
            meter: resource.usage && new ModelMeter(resource.usage),
          })
        } catch (error) {
          // Closed: it is never sent again. Its outcome is on record, where its agent can read it.
          if (!(error instanceof ClientGone)) asProblem(error, log)
        } finally {
          work.end()
          span?.end({ 'http.response.status_code': kept.status }, !kept.writableFinished)
          clearTimeout(timer)
          late.removeEventListener('abort', cut)
        }
      },
    }
  }
}
