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
  /** Digest of what `outgoing` is made of; `null` where nobody had to approve it. */
  readonly digest: string | null
  readonly resource: Pick<Resource, 'upstream' | 'mapping'>
  /** Scheme and host by which the client knows the gateway; `null` where nobody knows. */
  readonly origin: string | null
  /** Whose connections may be used. */
  readonly lane: string
  readonly outgoing: Outgoing
  readonly response: AnswerSink
  /** Reads what the answer of a model says about itself; left out where it is none. */
  readonly meter?: ModelMeter | null
  /** Left out for an ordinary request. */
  readonly webSocket?: AgentEnd | null
  /** Left out where nobody waits for the answer: it is kept, and that has an end. */
  readonly watch?: Watch
}

/**
 * Runs one permitted request, once: sends it, releases the answer when its record is durable, and
 * takes the outcome back. Rejects when there is no whole answer: with a problem if nothing of it
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
    // Here and below: what is there is not waited for. Each turn of the microtasks costs as much as
    // deciding.
    const connection = connecting instanceof Promise ? await connecting : connecting
    try {
      // Said as it is: a permit that lapsed for this reason is no defect, and agents go away often.
      if (response.destroyed) throw new ClientGone('The client went away.')
      permit.redeem(digest)
    } catch (error) {
      connection.destroy()
      throw error
    }
    exchange = new Exchange(connection, outgoing, meter)
    exchange.start()
    abortWith(response, exchange)

    // The answer to a read waits here for its record. Closed: if that fails, nobody ever sees the
    // answer.
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
    // Not waited for, here and below: with the store away it takes its time, and neither the client
    // nor the listener has to. The gate sees to it that it gets there.
    const result = status < 400 ? 'succeeded' : 'failed'
    const duration_ms = elapsed()
    const use = meter && (await modelUse(meter))
    void permit.complete({ result, status, bytes, duration_ms, ...use })
  } catch (error) {
    exchange?.abort(error)
    const duration_ms = elapsed()
    void permit.complete({
      // A request that went out and has no complete answer may have had its effect: nobody can
      // tell.
      result: exchange && action.effect !== 'read' ? 'unknown' : 'failed',
      ...(status !== undefined && { status }),
      // Or whoever goes away before the last byte has read all the others for nothing.
      ...(exchange && exchange.released > 0 && { bytes: exchange.released }),
      duration_ms,
      ...(meter && (await modelUse(meter))),
      error: nameOf(error),
    })
    throw error instanceof UpstreamFailure ? error.toProblem(action.id) : error
  }
}

/** Unpacking what came last may take a moment. */
async function modelUse(meter: ModelMeter): Promise<Pick<Outcome, 'model'>> {
  const model = await meter.end()
  return model ? { model } : {}
}

const unwatched: Watch = () => () => undefined

/**
 * Releases the answer. One that does not come all at once ends with what allowed it: credential,
 * approval, policy.
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

/** When the client goes away, the upstream is not kept busy for nobody. */
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
