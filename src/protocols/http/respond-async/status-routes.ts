import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Principal } from '../../../core/subject.ts'
import type { Log } from '../../../telemetry/log.ts'
import type { AgentServerDeps } from '../deps.ts'
import { laneOf } from '../lane.ts'
import { sendKept } from './respond-async.ts'
import { isTaskId } from './task-id.ts'

type Request = FastifyRequest<{ Params: { id: string } }>
type Proxy = (request: FastifyRequest, reply: FastifyReply) => void

interface Parts {
  readonly gate: AgentServerDeps['gate']
  readonly authenticate: (request: FastifyRequest) => Principal | Promise<Principal>
  /** Whether the request's host belongs to a resource, which then has all of its paths. */
  readonly isProxied: (request: FastifyRequest) => boolean
  readonly proxy: Proxy
  readonly log: Log
}

/** The prefix of every route here. */
export const ownPaths = '/access/'

/**
 * The routes where agents ask what became of their requests (AuthZEN Access Request and Approval
 * profile), and cancel them.
 */
export function addStatusRoutes(app: FastifyInstance, parts: Parts): void {
  const { gate, authenticate, isProxied, proxy, log } = parts
  // Kept responses that are being handed over here. Each goes to one connection at a time, so that
  // no client can fill the memory with copies.
  const delivering = new Set<string>()

  async function fetch(request: Request, reply: FastifyReply): Promise<void> {
    if (isProxied(request)) return proxy(request, reply)
    const { subject } = await authenticate(request)
    const id = taskId(request)
    const delivery = `${laneOf(subject)}\n${id}`
    if (delivering.has(delivery)) {
      const detail = 'This response is being delivered on another connection.'
      throw new Problem('response-pending', detail, { retry_after: 1 })
    }
    delivering.add(delivery)
    try {
      const fetched = await gate.response(id, subject)
      reply.hijack()
      await sendKept(reply.raw, fetched, log)
    } finally {
      delivering.delete(delivery)
    }
  }

  function answer(ask: (id: string, principal: Principal) => Promise<JsonObject>) {
    return async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply) => {
      if (isProxied(request)) return proxy(request, reply)
      const principal = await authenticate(request)
      const task = await ask(taskId(request), principal)
      return reply.header('Cache-Control', 'no-store').send(task)
    }
  }

  app.get(
    '/access/v1/requests/:id',
    answer((id, { subject }) => gate.task(id, subject)),
  )
  app.get('/access/v1/requests/:id/response', fetch)
  app.post(
    '/access/v1/requests/:id/cancel',
    answer((id, { subject }) => gate.cancel(id, subject)),
  )
}

function taskId({ params: { id } }: Request): string {
  if (isTaskId(id)) return id
  throw new Problem('not-found', 'There is no request of yours with this id.')
}
