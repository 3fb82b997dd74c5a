import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import type { Attempt } from '../../gate/attempt.ts'
import { actionOf } from './action.ts'
import { ClientGone, RequestBody } from './body.ts'
import { ResponseCaller } from './caller.ts'
import type { AgentMessage, AgentResponse } from './client.ts'
import type { AgentServerDeps } from './deps.ts'
import { spoolOf } from './respond-async/detached.ts'
import { forward } from './forward.ts'
import { headerValue, type Header } from './header.ts'
import { readJsonBody } from './json-body.ts'
import { laneOf } from './lane.ts'
import type { LiveExchanges } from './live.ts'
import { originOf, writtenOrigin } from './origin.ts'
import { ModelMeter } from './model/meter.ts'
import { outgoingOf } from './outgoing.ts'
import { noPreferences, readPrefer, type Preferences } from './prefer.ts'
import { selectHeaders } from './request-headers.ts'
import type { Resolved } from './resolve.ts'
import type { Resource } from './resource.ts'
import type { Rooms } from './rooms.ts'
import { sendAccepted } from './respond-async/respond-async.ts'
import { sealRequest, type SealedBytes } from './seal.ts'
import { cutOff } from './send-problem.ts'
import type { StrictRequest } from './strict/strict-request.ts'
import { isTaskId } from './respond-async/task-id.ts'
import { beginSpan, notingRefusal } from './span.ts'
import { continueTrace, traceparentFrom } from './trace.ts'
import { openingHeaders, openingOf } from './websocket/websocket.ts'

/** One request for a resource, from an authenticated caller. */
export interface Call {
  readonly request: StrictRequest
  readonly principal: Principal
  readonly target: Resolved<Resource>
  readonly rooms: Rooms
  readonly live: LiveExchanges
  readonly message: AgentMessage
  readonly response: AgentResponse
}

/**
 * Turns a request into an action, has the gate decide about it, and forwards exactly what was
 * permitted. Rejects when the client got no complete answer.
 */
export async function handle(deps: AgentServerDeps, call: Call): Promise<void> {
  const { request, principal, target, live, response } = call
  const { resource, path } = target
  const { subject, credential } = principal
  const { maxBody } = deps.limits
  // The client left while its credential was checked. There will be no other event for that, and a
  // held action must not be released to nobody.
  if (response.destroyed) throw new ClientGone('The client went away.')
  const lane = laneOf(subject)
  const trace = continueTrace(headerValue(request.headers, 'traceparent'))
  const span = beginSpan(deps.traces, trace, request, resource, response)
  const selected = selectHeaders(request.headers, resource)
  const body = bodyOf(deps, call, lane)
  const opening = openingOf(request, resource, response)
  const bound = opening ? openingHeaders(selected.bound) : selected.bound
  const payload = {
    method: request.method,
    target: `${resource.upstream.basePath}${path}${request.query === null ? '' : `?${request.query}`}`,
    headers: bound,
  }
  const json = deps.gate.needs(resource.name).body
    ? await readJsonBody(body, bound, maxBody)
    : undefined
  const action = actionOf({
    request,
    subject,
    resource,
    path,
    headers: bound,
    json,
    trace,
  })

  // Without what people are shown, which would be in memory twice while they are waited for.
  const kept: { sealed: SealedBytes | null } = { sealed: null }
  const preferences = preferencesOf(request.headers)
  const attempt: Attempt = {
    action,
    credential,
    binding: resource.binding,
    connection: null,
    seal: async () => {
      const sealed = await sealRequest(payload, body, {
        limit: maxBody,
        isSecret: resource.isSecret,
      })
      kept.sealed = { digest: sealed.digest, bytes: sealed.bytes }
      return sealed
    },
    waitMs: waitOf(preferences, deps.listen),
    caller: new ResponseCaller(response),
    approval: approvalOf(request.headers),
    held: () => span?.enter('wait'),
  }
  const spool = (): Buffer =>
    spoolOf(payload, traceparentFrom(trace, span?.id ?? trace.span), kept.sealed!.bytes)
  span?.note({ 'sallyport.action': action.id, 'sallyport.effect': action.effect })
  span?.enter('decision')
  // A WebSocket cannot be opened later, for a caller that has gone.
  const decided =
    preferences.respondAsync && !opening
      ? deps.gate.enforce({ ...attempt, spool })
      : deps.gate.enforce(attempt)
  const permit = await (span ? notingRefusal(span, decided) : decided)
  if ('task' in permit) return sendAccepted(response, permit)
  span?.enter('upstream', trace.span)

  // A digest in the permit means that people approved these bytes. These and no others are sent.
  const approved = permit.digest === null ? null : kept.sealed
  await forward({
    permit,
    digest: approved?.digest ?? null,
    resource,
    origin: ('host' in resource.match ? writtenOrigin : originOf)(request, deps.listen),
    lane,
    outgoing: outgoingOf({ payload, selected, resource, trace, body, sealed: approved, opening }),
    response,
    meter: resource.usage && new ModelMeter(resource.usage),
    webSocket: opening && { opening, response },
    watch: (how, end) => live.add({ action: permit.action, credential, permit, ...how }, end),
  })
  // An upgraded connection has no response whose end would end the span.
  if (opening && !response.headersSent) span?.end({ 'http.response.status_code': 101 }, false)
  cutOff(response)
}

/**
 * The body of a request; `null` if it has none. Bytes that are taken in keep their room until the
 * response is over.
 */
function bodyOf(
  { listen }: AgentServerDeps,
  { request, rooms, message, response }: Call,
  lane: string,
): RequestBody | null {
  if (request.framing.kind === 'none') return null
  const room = rooms.of(lane)
  response.on('close', () => room.giveBack())
  return new RequestBody(message, request.framing, {
    room,
    patience: { silence: listen.body_timeout, rate: listen.min_body_rate },
    askForIt: () => {
      if (request.expectsContinue) response.writeContinue()
    },
  })
}

/** The approval that the caller names, or `null`. */
function approvalOf(headers: readonly Header[]): string | null {
  const id = headerValue(headers, 'sallyport-approval')
  if (id === null || isTaskId(id)) return id
  throw new Problem('approval-mismatch', 'Sallyport-Approval is not the id of an approval.')
}

function preferencesOf(headers: readonly Header[]): Preferences {
  if (headerValue(headers, 'prefer') === null) return noPreferences
  const values = headers.filter(({ name }) => name === 'prefer').map(({ value }) => value)
  return readPrefer(values.join(', '))
}

/**
 * Milliseconds for which the caller waits for people: what it prefers, up to the listener's limit.
 * A caller that would rather come back does not wait.
 */
function waitOf(
  { wait: seconds, respondAsync }: Preferences,
  { wait, max_wait }: AgentServerDeps['listen'],
): number {
  const usual = respondAsync ? 0 : wait
  return Math.min(seconds === null ? usual : seconds * 1000, max_wait)
}
