import { METHODS, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import { ClientGone } from './body.ts'
import type { AgentServerDeps } from './deps.ts'
import { handle } from './handle.ts'
import { createListener, problemOf, refuse, type AgentMessage } from './listener.ts'
import { gatewayToken } from './request-headers.ts'
import { Resolver } from './resolve.ts'
import { prepareResource } from './resource.ts'
import { asProblem, sendProblem } from './send-problem.ts'
import { addStatusRoutes } from './status-routes.ts'
import { checkRequest, type StrictRequest } from './strict-request.ts'

export interface AgentServer {
  /** Resolves with the address that it got. Rejects with the error of the system: EADDRINUSE, EACCES. */
  listen(): Promise<AddressInfo>
  /**
   * Takes no more connections, and resolves when every request that is under way has its answer and its outcome. What still runs after `drain` is cut
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
  // Owned by admit() and serve(): what has to end before the server does.
  const responses = new Set<ServerResponse>()
  const work = new Set<Promise<void>>()
  let closing = false

  function admit(message: AgentMessage, response: ServerResponse): boolean {
    responses.add(response)
    response.once('close', () => {
      responses.delete(response)
      if (closing && responses.size === 0) app.server.closeAllConnections()
    })
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
    clientErrorHandler: (error, socket) => clientError(error, socket),
    frameworkErrors: (error, _request, reply) => sendProblem(reply.raw, asProblem(error, log)),
    exposeHeadRoutes: false,
    return503OnClosing: false,
  })

  /** A problem in the middle of somebody's answer would be read as a part of it: only a connection without one gets it. */
  function clientError(error: Error, socket: Socket): void {
    const answering = [...responses].some(
      (response) => response.req.socket === socket && response.headersSent,
    )
    if (answering) socket.destroy()
    else refuse(socket, problemOf(error))
  }

  async function authenticate({ headers }: StrictRequest): Promise<Principal> {
    return authenticator.authenticate(gatewayToken(headers))
  }

  async function serve(message: AgentMessage, response: ServerResponse): Promise<void> {
    try {
      const request = message.checked!
      const principal = await authenticate(request)
      const target = resolver.resolve(request)
      if (!target) throw new Problem('no-resource', 'No resource has this host or path.')
      await handle(deps, { request, principal, target, message, response })
    } catch (error) {
      // An answer that has begun cannot become another one: its client learns from the broken connection that it is not whole.
      if (error instanceof ClientGone || response.headersSent) response.destroy()
      else sendProblem(response, asProblem(error, log))
    }
  }

  function proxy({ raw }: FastifyRequest, reply: FastifyReply): void {
    reply.hijack()
    const serving = serve(raw as AgentMessage, reply.raw)
    work.add(serving)
    void serving.finally(() => work.delete(serving))
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
      closing = true
      const closed = app.close()
      if (responses.size === 0) app.server.closeAllConnections()
      const late = setTimeout(
        () => responses.forEach((response) => response.destroy()),
        listen.drain,
      )
      await closed
      await Promise.all(work)
      clearTimeout(late)
      for (const { upstream } of resources) upstream.close()
    },
  }
}
