import { METHODS, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import { ClientGone } from './body.ts'
import type { AgentServerDeps } from './deps.ts'
import { handle } from './handle.ts'
import { createListener, problemOf, refuse, remember, type AgentMessage } from './listener.ts'
import { gatewayToken } from './request-headers.ts'
import { Resolver } from './resolve.ts'
import { prepareResource } from './resource.ts'
import { Rooms } from './rooms.ts'
import { asProblem, sendProblem } from './send-problem.ts'
import { addStatusRoutes } from './status-routes.ts'
import { checkRequest, type StrictRequest } from './strict-request.ts'
import { UnderWay } from './under-way.ts'

export interface AgentServer {
  /** Resolves with the address that it got. Rejects with the error of the system: EADDRINUSE, EACCES. */
  listen(): Promise<AddressInfo>
  /**
   * Takes no more connections, and resolves when every request that is under way has its answer, and the gate its outcome. What still runs after `drain` is cut
   * off: an effect that it may have had is `unknown` then.
   */
  close(): Promise<void>
}

/**
 * The listener for agents. Every request passes the strict check, then shows who sends it, and only then learns whether there is a resource; what it
 * asks for is the gate's to decide.
 */
export function createAgentServer(deps: AgentServerDeps): AgentServer {
  const { log, authenticator, gate, listen } = deps
  const resources = deps.resources.map((config) => prepareResource(config, deps.binding(config)))
  const resolver = new Resolver(resources)
  const rooms = new Rooms(deps.limits.maxBody)
  // What has to end before the server does.
  const answers = new UnderWay()
  const work = new UnderWay()

  function admit(message: AgentMessage, response: ServerResponse): boolean {
    answers.begin()
    response.on('close', () => answers.end())
    remember(message.socket, response)
    // Node's parser skips what comes in one packet with an offer to upgrade, so no request may follow on this connection.
    if (message.headers.upgrade !== undefined) response.shouldKeepAlive = false
    try {
      message.checked = checkRequest(message)
      return true
    } catch (error) {
      sendProblem(response, asProblem(error, log))
      return false
    }
  }

  const app = fastify({
    serverFactory: (route) =>
      createListener(listen.tls, log, (message, response) => {
        if (admit(message, response)) route(message, response)
      }),
    clientErrorHandler: (error, socket) => refuse(socket, problemOf(error)),
    frameworkErrors: (error, _request, reply) => sendProblem(reply.raw, asProblem(error, log)),
    exposeHeadRoutes: false,
    return503OnClosing: false,
  })

  async function authenticate({ headers }: StrictRequest): Promise<Principal> {
    return authenticator.authenticate(gatewayToken(headers))
  }

  async function serve(message: AgentMessage, response: ServerResponse): Promise<void> {
    work.begin()
    try {
      const request = message.checked!
      const principal = await authenticate(request)
      const target = resolver.resolve(request)
      if (!target) throw new Problem('no-resource', 'No resource has this host or path.')
      await handle(deps, { request, principal, target, rooms, message, response })
    } catch (error) {
      if (error instanceof ClientGone) response.destroy()
      else if (response.headersSent) breakOff(response)
      else sendProblem(response, asProblem(error, log))
    } finally {
      work.end()
    }
  }

  function proxy({ raw }: FastifyRequest, reply: FastifyReply): void {
    reply.hijack()
    void serve(raw as AgentMessage, reply.raw)
  }

  // Without a body in Fastify's eyes: it neither reads one nor refuses its media type.
  for (const method of METHODS) app.addHttpMethod(method, { overrideExisting: true })
  app.all('*', proxy)
  addStatusRoutes(app, {
    gate,
    authenticate: ({ raw }) => authenticate((raw as AgentMessage).checked!),
    isProxied: ({ raw }) => resolver.byHost((raw as AgentMessage).checked!) !== null,
    proxy,
  })
  app.setErrorHandler((error, _request, reply) => {
    reply.hijack()
    sendProblem(reply.raw, asProblem(error, log))
  })

  return {
    async listen() {
      await app.listen({ host: listen.address.host, port: listen.address.port })
      return app.server.address() as AddressInfo
    },
    async close() {
      const closed = app.close()
      const late = setTimeout(() => app.server.closeAllConnections(), listen.drain)
      await answers.none()
      // What is left are connections without a request, which nobody would end.
      app.server.closeAllConnections()
      await closed
      await work.none()
      clearTimeout(late)
      for (const { upstream } of resources) upstream.close()
    },
  }
}

/** Milliseconds for what has come of an answer to reach its client. */
const lastBytes = 10_000

/**
 * An answer that has begun cannot become another one: its client gets what there is of it, and learns from the broken connection that it is not
 * whole.
 */
function breakOff(response: ServerResponse): void {
  const { socket } = response
  if (!socket) return
  const timer = setTimeout(() => socket.destroy(), lastBytes)
  socket.once('close', () => clearTimeout(timer))
  socket.destroySoon()
}
