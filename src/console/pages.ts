import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../core/errors.ts'
import { pathOf } from './problem.ts'

/**
 * Serves the console, as vite built it into `folder`; `null` when there is none. What no route
 * answers and a browser asks for is its start page.
 */
export async function servePages(app: FastifyInstance, folder: string | null): Promise<void> {
  const start = folder === null ? null : await readFile(join(folder, 'index.html'))
  if (folder !== null) await app.register((scope) => serveFiles(scope, folder))
  app.setNotFoundHandler((request, reply) => {
    if (start === null || !wantsPage(request)) {
      throw new Problem('not-found', `There is nothing at ${pathOf(request)}.`)
    }
    return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(start)
  })
}

/** In a scope of their own: files are for everybody. */
async function serveFiles(scope: FastifyInstance, folder: string): Promise<void> {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' }
  })
  await scope.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // Their names change with their content; the start page's does not.
      const named = path.startsWith(join(folder, 'assets'))
      reply.header('cache-control', named ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}

function wantsPage(request: FastifyRequest): boolean {
  return (
    request.method === 'GET' &&
    !/^\/(api|access|slack|teams)(\/|$)/.test(pathOf(request)) &&
    (request.headers.accept ?? '').includes('text/html')
  )
}
