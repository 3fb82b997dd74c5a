import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import { UnderWay } from '../../core/under-way.ts'
import type { Prepare } from '../../gate/detached/begin-detached.ts'
import { ClientGone } from './body.ts'
import {
  Http1Message,
  Http1Response,
  type AgentMessage,
  type AgentResponse,
  type Http2Message,
} from './client.ts'
import { Connections } from './connections.ts'
import type { AgentServerDeps } from './deps.ts'
import { detachedRequests } from './respond-async/detached.ts'
import { handle } from './handle.ts'
import { Http2Sessions } from './http2.ts'
import { laneOf } from './lane.ts'
import { LiveExchanges } from './live.ts'
import { createListener, problemOf, refuse, remember } from './listener.ts'
import { presentedBy } from './presented.ts'
import { onlyToken } from './request-headers.ts'
import { requestHead } from './strict/request-head.ts'
import { Resolver } from './resolve.ts'
import { prepareResource } from './resource.ts'
import { Rooms } from './rooms.ts'
import { secretParameters, shownTarget, usualSecretParameters } from './secret-parameters.ts'
import { asProblem, sendProblem } from './send-problem.ts'
import { addStatusRoutes, ownPaths } from './respond-async/status-routes.ts'
import { checkRequest } from './strict/strict-request.ts'

export interface AgentServer {
  /**
   * Resolves with the address that it listens on. Rejects with the system's error: EADDRINUSE,
   * EACCES.
   */
  listen(): Promise<AddressInfo>
  /**
   * Takes no more connections, and resolves when every request under way has its answer, and the
   * gate its outcome. What still runs after `drain` is cut off, and any effect it may have had is
   * `unknown`.
   */
  close(): Promise<void>
  /** Prepares requests that `respond-async` has left to the gateway. */
  readonly prepare: Prepare
}

/**
 * The agents' listener. Every request passes the strict check, then shows who sends it, and only
 * then learns whether there is a resource. What it asks for is for the gate to decide.
 */
export function createAgentServer(deps: AgentServerDeps): AgentServer {
  const { log, authenticator, gate, listen } = deps
  const resources = deps.resources.map((config) => prepareResource(config, deps.binding(config)))
  // For requests without a resource, every name that any resource gives to secrets counts, and the
  // usual ones.
  const isSecret = secretParameters([
    ...usualSecretParameters,
    ...deps.resources.flatMap(({ secret_parameters = [] }) => secret_parameters),
  ])
  const resolver = new Resolver(resources)
  const rooms = new Rooms(deps.limits.maxBody)
  // Answers that have to end before the server does.
  const answers = new UnderWay()
  const work = new UnderWay()
  const late = new AbortController()
  // Owned by close().
  let closing = false

  const connections = new Connections(listen, log)
  const live = new LiveExchanges((running) => gate.whyEnded(running), log)

  function admit(message: AgentMessage, response: AgentResponse): boolean {
    answers.begin()
    response.on('close', () => answers.end())
    if (message instanceof Http1Message && response instanceof Http1Response) {
      remember(message.socket, response)
      // No request may follow on this connection after an offer to upgrade, because Node's parser
      // skips what comes in the same packet. Nor while the server closes: a client that keeps
      // asking on an open connection would keep it from closing, and be cut off in the middle of
      // something.
      if (closing || message.headers.upgrade !== undefined) response.shouldKeepAlive = false
    }
    try {
      message.checked = checkRequest(requestHead(message as Http1Message | Http2Message))
      return true
    } catch (error) {
      const problem = asProblem(error, log)
      sendProblem(response, problem)
      void noteRefusal(message, problem)
      return false
    }
  }

  /**
   * Records who sent a request that could be read in two ways, if at least that is clear: it is
   * worth knowing who probes for gaps.
   */
  async function noteRefusal({ method, url, rawHeaders }: AgentMessage, problem: Problem) {
    const token = onlyToken(rawHeaders)
    if (token === null) return
    try {
      const { subject } = await authenticator.authenticate(token)
      gate.refused({ subject, summary: `${method} ${shownTarget(url ?? '', isSecret)}`, problem })
    } catch (error) {
      // An unknown sender. The authenticator has recorded that, and the request is refused already.
      if (!(error instanceof Problem)) log.error({ err: error }, 'a refusal is not on record')
    }
  }

  let sessions: Http2Sessions | null = null
  const app = fastify({
    serverFactory: (route) => {
      const handler = (message: AgentMessage, response: AgentResponse): void => {
        // Fastify treats both versions of HTTP alike; only its types know just one.
        const [raw, reply] = [message, response] as unknown as [IncomingMessage, ServerResponse]
        if (!admit(message, response)) return
        if (message.checked!.path.startsWith(ownPaths)) route(raw, reply)
        else void serve(message, response)
      }
      const http2 = new Http2Sessions(listen.idle_timeout, handler)
      sessions = http2
      return createListener(listen, log, handler, (socket) => http2.take(socket)).on(
        'connection',
        (socket) => connections.enter(socket),
      )
    },
    clientErrorHandler: (error, socket) => refuse(socket, problemOf(error)),
    frameworkErrors: (error, _request, reply) =>
      sendProblem(responseOf(reply), asProblem(error, log)),
    exposeHeadRoutes: false,
    return503OnClosing: false,
  })

  function authenticate({ checked, socket }: AgentMessage): Principal | Promise<Principal> {
    const { token, presented } = presentedBy(checked!, socket, listen)
    const identified = (principal: Principal): Principal => {
      connections.identify(socket, laneOf(principal.subject))
      return principal
    }
    const found = authenticator.authenticate(token, presented)
    return found instanceof Promise ? found.then(identified) : identified(found)
  }

  async function serve(message: AgentMessage, response: AgentResponse): Promise<void> {
    work.begin()
    try {
      const request = message.checked!
      // Awaited even where it is known at once: by then, what came in the same packet has been
      // parsed, and anything that was not HTTP has ended the connection.
      const principal = await authenticate(message)
      const target = resolver.resolve(request)
      if (!target) {
        const problem = new Problem('no-resource', 'No resource has this host or path.')
        const summary = `${request.method} ${shownTarget(message.url ?? '', isSecret)}`
        gate.refused({ subject: principal.subject, summary, problem })
        throw problem
      }
      await handle(deps, { request, principal, target, rooms, live, message, response })
    } catch (error) {
      if (error instanceof ClientGone) response.destroy()
      else if (response.headersSent) response.breakOff()
      else sendProblem(response, asProblem(error, log))
    } finally {
      work.end()
    }
  }

  function proxy({ raw }: FastifyRequest, reply: FastifyReply): void {
    reply.hijack()
    void serve(messageOf({ raw }), responseOf(reply))
  }

  // Handles paths that only look like the gateway's own. Fastify takes these methods for bodiless,
  // so it neither reads a body nor refuses its media type.
  for (const method of METHODS) app.addHttpMethod(method, { overrideExisting: true })
  app.all('*', proxy)
  addStatusRoutes(app, {
    gate,
    authenticate: (request) => authenticate(messageOf(request)),
    isProxied: (request) => resolver.byHost(messageOf(request).checked!) !== null,
    proxy,
    log,
  })
  app.setErrorHandler((error, _request, reply) => {
    reply.hijack()
    sendProblem(responseOf(reply), asProblem(error, log))
  })

  return {
    prepare: detachedRequests({
      origin: listen.public_url ?? null,
      resources,
      maxResponse: deps.limits.maxResponse,
      work,
      late: late.signal,
      traces: deps.traces,
      log,
    }),
    async listen() {
      await app.listen({ host: listen.address.host, port: listen.address.port })
      return app.server.address() as AddressInfo
    },
    async close() {
      closing = true
      const closed = app.close()
      sessions?.goAway()
      live.stop()
      const drained = setTimeout(() => {
        connections.closeAll()
        late.abort()
      }, listen.drain)
      await answers.none()
      // Only connections without a request are left, which nobody else would end.
      connections.closeAll()
      await closed
      await work.none()
      clearTimeout(drained)
      live.close()
      for (const { upstream } of resources) upstream.close()
    },
  }
}

/** The message that Fastify was given. */
function messageOf({ raw }: Pick<FastifyRequest, 'raw'>): AgentMessage {
  return raw as unknown as AgentMessage
}

function responseOf({ raw }: Pick<FastifyReply, 'raw'>): AgentResponse {
  return raw as unknown as AgentResponse
}
