import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../core/errors.ts'
import type { Role } from '../core/person.ts'
import type { KeyScope } from '../identity/agent-key.ts'
import type { Caller } from './caller.ts'

/**
 * Who may call a route: everybody, everybody who has logged in, or people in one of the roles and
 * keys with the scope.
 */
export type Access =
  | 'public'
  | 'person'
  | {
      readonly roles: readonly Role[]
      readonly scope?: KeyScope
      /** `false`: a question that is too long for a URL. Keys may ask it too. */
      readonly changes?: false
    }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says who may call it. One that does not stops the server from starting. */
    access?: Access
  }
  interface FastifyRequest {
    /** Set before the handler runs, on every route that is not public. */
    caller: Caller | null
    /**
     * Looks at the credential of the request anew, for answers that go on. Rejects as it does for a
     * new request.
     */
    callerNow(): Promise<Caller>
  }
}

/**
 * Makes every route that is added from now on say who may call it, and refuses everybody else
 * before the body is read. Forgetting it is closed: such a route cannot be added.
 */
export function enforceAccess(
  app: FastifyInstance,
  callerOf: (request: FastifyRequest) => Promise<Caller>,
): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('callerNow', function (this: FastifyRequest) {
    return callerOf(this)
  })

  app.addHook('onRoute', ({ method, url, config }) => {
    const access = config?.access
    if (access === undefined)
      throw new Error(`${String(method)} ${url} does not say who may call it`)
    const asks = typeof access === 'object' && access.changes === false
    const changes = !asks && ![method].flat().every((one) => one === 'GET' || one === 'HEAD')
    if (typeof access === 'object' && access.scope && changes) {
      throw new Error(`${String(method)} ${url} changes something, and keys only read`)
    }
  })

  app.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config
    if (request.is404 || access === 'public') return
    // Not one of ours, and so nobody said who may call it. Closed.
    if (access === undefined) throw new Error(`${request.url} does not say who may call it`)
    const caller = await callerOf(request)
    if (!mayCall(caller, access)) throw forbidden(access)
    request.caller = caller
  })
}

function mayCall(caller: Caller, access: Exclude<Access, 'public'>): boolean {
  if (caller.kind === 'machine') {
    return (
      typeof access === 'object' &&
      access.scope !== undefined &&
      caller.scopes.includes(access.scope)
    )
  }
  return access === 'person' || access.roles.some((role) => caller.roles.has(role))
}

function forbidden(access: Exclude<Access, 'public'>): Problem {
  if (access === 'person')
    return new Problem('forbidden', 'This is for people. A key cannot do it.')
  const { roles, scope } = access
  const key = scope ? `, or a key with the scope ${scope}` : ''
  return new Problem('forbidden', `This needs the role ${roles.join(' or ')}${key}.`)
}
