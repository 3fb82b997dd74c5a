import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { TlsServer } from '../config/tls-server.ts'
import { Problem } from '../core/errors.ts'
import { enforceAccess } from './access.ts'
import { createCallerOf } from './caller.ts'
import type { ControlServer, ControlServerDeps } from './context.ts'
import { cookieSigner } from './cookie-signer.ts'
import { cookiesFor } from './cookies.ts'
import { refuseForgedRequests } from './csrf.ts'
import { securityHeaders } from './headers.ts'
import { apiDescription, describeRoute } from './openapi.ts'
import { servePages } from './pages.ts'
import { sendProblem } from './problem.ts'
import { healthRoutes } from './routes/health.ts'
import { keyRoutes } from './routes/keys.ts'
import { loginRoutes } from './routes/login.ts'
import { meRoutes } from './routes/me.ts'
import { securityEventRoutes } from './routes/security-events.ts'

export type { ControlServer, ControlServerDeps } from './context.ts'

/** Milliseconds: that a whole request may take, and that a connection is kept without one. */
const limits = { requestTimeout: 30_000, keepAliveTimeout: 72_000 }

/**
 * The control plane: people log in here, and everything about approvals, audit and keys is
 * registered on it. Never on the listener that agents use. It does not listen yet, so that routes
 * can be added first. Rejects with `MistakesError` when `tls` has no usable certificate.
 */
export async function createControlServer(deps: ControlServerDeps): Promise<ControlServer> {
  const { publicUrl, trustedProxies = [], tls, cookieKeys, csrfKey, log } = deps
  const origin = publicUrl === undefined ? null : new URL(publicUrl).origin
  const secure = origin?.startsWith('https:') ?? tls !== undefined
  const cookies = cookiesFor(secure)

  const app: ControlServer = Fastify({
    bodyLimit: 64 * 1024,
    ...limits,
    // Limits go by the address of whoever calls. What a stranger writes into X-Forwarded-For is not
    // that.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    ...(tls && {
      serverFactory: (handler: RequestListener): Server =>
        new TlsServer(tls, log, limits).on('request', handler),
    }),
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, log))

  await app.register(helmet, securityHeaders(secure))
  await app.register(cookie, { secret: cookieSigner(cookieKeys) })
  await app.register(rateLimit, { global: false, errorResponseBuilder: tooMany })
  await app.register(swagger, { openapi: apiDescription, transform: describeRoute })
  await servePages(app, deps.pages)

  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  // From here on every route says who may call it, and nobody else gets to its handler.
  enforceAccess(app, createCallerOf({ ...deps, cookies }))
  await refuseForgedRequests(app, { cookies, key: csrfKey, origin })

  await app.register(healthRoutes, deps)
  await app.register(meRoutes)
  await app.register(keyRoutes, deps)
  await app.register(securityEventRoutes, deps)
  await app.register(loginRoutes, {
    ...deps,
    cookies,
    origin: () => origin ?? `${secure ? 'https' : 'http'}://${loopback(app)}`,
  })
  return app
}

function loopback(app: ControlServer): string {
  const { port } = app.server.address() as AddressInfo
  return `127.0.0.1:${port}`
}

function tooMany(_request: unknown, { after }: { after: string }): Problem {
  return new Problem('too-many-requests', `Try again in ${after}.`)
}
