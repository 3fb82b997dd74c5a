import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Principal } from '../../core/subject.ts'
import type { AgentServerDeps } from './deps.ts'
import { isTaskId } from './task-id.ts'

type Proxy = (request: FastifyRequest, reply: FastifyReply) => void

interface Parts {
  readonly gate: AgentServerDeps['gate']
  readonly authenticate: (request: FastifyRequest) => Promise<Principal>
  /** Whether a resource has this host, and so all of its paths. */
  readonly isProxied: (request: FastifyRequest) => boolean
  readonly proxy: Proxy
}

/** Where agents ask what became of their requests (AuthZEN Access Request and Approval profile), and take them back. */
export function addStatusRoutes(app: FastifyInstance, parts: Parts): void {
  const { gate, authenticate, isProxied, proxy } = parts

  function answer(ask: (id: string, principal: Principal) => Promise<JsonObject>) {
    return async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply) => {
      if (isProxied(request)) return proxy(request, reply)
      const principal = await authenticate(request)
      const { id } = request.params
      if (!isTaskId(id))
        throw new Problem('not-found', 'There is no request of yours with this id.')
      const task = await ask(id, principal)
      return reply.header('Cache-Control', 'no-store').send(task)
    }
  }

  app.get(
    '/access/v1/requests/:id',
    answer((id, { subject }) => gate.task(id, subject)),
  )
  app.post(
    '/access/v1/requests/:id/cancel',
    answer((id, { subject }) => gate.cancel(id, subject)),
  )
}
