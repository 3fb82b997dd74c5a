import { Problem } from '../../core/errors.ts'
import type { Outcome } from '../../core/event.ts'
import type { Permit } from '../../gate/permit.ts'
import { ClientGone } from './body.ts'
import { Exchange, type AnswerSink, type Outgoing } from './upstream/exchange.ts'
import { UpstreamFailure } from './upstream/failure.ts'
import type { Watch } from './live.ts'
import { openWebSocket, type AgentEnd } from './websocket/open-websocket.ts'
import type { Answering } from './response-headers.ts'
import type { ModelMeter } from './model/meter.ts'
import type { Head } from './upstream/response-parser.ts'
import type { Resource } from './resource.ts'

interface Job {
  readonly permit: Permit
  /** The digest of what `outgoing` contains; `null` where nobody had to approve it. */
  readonly digest: string | null
  readonly resource: Pick<Resource, 'upstream' | 'mapping'>
  /**
   * The scheme and host under which the client knows the gateway; `null` where that is not known.
   */
  readonly origin: string | null
  /** Whose connections to the upstream may be used (`laneOf`). */
  readonly lane: string
  readonly outgoing: Outgoing
  readonly response: AnswerSink
  /** Reads what a model's answer reports about itself; absent for other answers. */
  readonly meter?: ModelMeter | null
  /** Absent for an ordinary request. */
  readonly webSocket?: AgentEnd | null
  /** Absent where the answer is kept for later, which has a time limit of its own. */
  readonly watch?: Watch
}

/**
 * Runs one permitted request once: sends it, releases the answer when its record is durable, and
 * reports the outcome. Rejects when there is no complete answer: with a problem if nothing of it
 * has been released yet, with `ClientGone` if nobody is left to get it.
 */
export async function forward(job: Job): Promise<void> {
  const {
    permit,
    digest,
    resource,
    lane,
    outgoing,
    response,
    webSocket,
    meter = null,
    watch = unwatched,
  } = job
  const { action } = permit
  const begun = performance.now()
  const elapsed = (): number => Math.round(performance.now() - begun)
  let exchange: Exchange | null = null
  let status: number | undefined
  try {
    const { upstream } = resource
    const connecting = webSocket ? upstream.connectToUpgrade(lane) : upstream.connect(lane)
    // Here and below, values that are there already are not awaited: a turn of the microtask queue
    // costs as much as a decision.
    const connection = connecting instanceof Promise ? await connecting : connecting
    try {
      // Tested here, because a permit that has lapsed for this reason is no defect, and agents
      // leave often.
      if (response.destroyed) throw new ClientGone('The client went away.')
      permit.redeem(digest)
    } catch (error) {
      connection.destroy()
      throw error
    }
    exchange = new Exchange(connection, outgoing, meter)
    exchange.start()
    abortWith(response, exchange)

    // The answer to a read waits here for its record. Closed: if the record fails, the answer is
    // never shown.
    await permit.recorded
    const answer = exchange.head()
    const head = answer instanceof Promise ? await answer : answer
    status = head.status
    if (webSocket && status === 101) {
      const { use, why } = await openWebSocket(webSocket, exchange, head, answeringOf(job), watch)
      const bytes = use.to_agent.bytes
      const cut = why && { error: why.code }
      const outcome = { status, bytes, websocket: use, duration_ms: elapsed(), ...cut }
      void permit.complete({ result: 'succeeded', ...outcome })
      return
    }
    const relayed = relay(exchange, head, job)
    const bytes = relayed instanceof Promise ? await relayed : relayed
    // Not awaited, here and below: while the store is away this takes its time, and neither the
    // client nor the listener needs to wait. The gate makes sure that the outcome is recorded.
    const result = status < 400 ? 'succeeded' : 'failed'
    const duration_ms = elapsed()
    const use = meter && (await modelUse(meter))
    void permit.complete({ result, status, bytes, duration_ms, ...use })
  } catch (error) {
    exchange?.abort(error)
    const duration_ms = elapsed()
    void permit.complete({
      // A request that went out and got no complete answer may have had its effect. Nobody can
      // tell.
      result: exchange && action.effect !== 'read' ? 'unknown' : 'failed',
      ...(status !== undefined && { status }),
      // Otherwise a client that leaves before the last byte would have read all the others
      // uncounted.
      ...(exchange && exchange.released > 0 && { bytes: exchange.released }),
      duration_ms,
      ...(meter && (await modelUse(meter))),
      error: nameOf(error),
    })
    throw error instanceof UpstreamFailure ? error.toProblem(action.id) : error
  }
}

/** Waits for the meter, because unpacking the last bytes may take a moment. */
async function modelUse(meter: ModelMeter): Promise<Pick<Outcome, 'model'>> {
  const model = await meter.end()
  return model ? { model } : {}
}

const unwatched: Watch = () => () => undefined

/**
 * Releases the answer. An answer that takes a while may be ended when its credential, approval or
 * policy ends.
 */
function relay(exchange: Exchange, head: Head, job: Job): number | Promise<number> {
  const { response, watch = unwatched } = job
  const relayed = exchange.relay(head, response, answeringOf(job))
  if (typeof relayed === 'number' || exchange.over) return relayed
  const leave = watch({ endless: false }, (why) => exchange.abort(why))
  return relayed.finally(leave)
}

function answeringOf({ permit, resource, origin }: Job): Answering {
  return { action: permit.action.id, mapping: resource.mapping, origin }
}

/** Aborts the exchange when the client goes away, so that the upstream does not work for nobody. */
function abortWith(response: AnswerSink, exchange: Exchange): void {
  const abort = (): void => {
    if (!response.writableFinished) exchange.abort(new ClientGone('The client went away.'))
  }
  if (response.destroyed) abort()
  else response.on('close', abort)
}

function nameOf(error: unknown): string {
  if (error instanceof UpstreamFailure || error instanceof Problem) return error.code
  return error instanceof ClientGone ? 'client-gone' : 'internal-error'
}
