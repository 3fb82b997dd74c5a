import { z } from 'zod'
import { forgetSearch, listSearches, saveSearch } from '../../audit/search/saved.ts'
import type { Store } from '../../store/db.ts'
import { personOf } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { instant } from '../openapi.ts'
import { searchable } from './audit.ts'

const auditors = { roles: ['auditor'] } as const

const params = z.object({ name: z.string().min(1).max(80) })

/** As it was asked: a search for the last day stays one for the last day. */
const query = z
  .strictObject({
    ...Object.fromEntries(searchable.map((name) => [name, z.string().max(400).optional()])),
    since: z.string().max(10).optional().describe('a range that ends now: `15m`, `24h`, `7d` …'),
  })
  .describe('parameters of GET /api/audit/events')

/** Searches that people keep, each for themselves. */
export async function savedSearchRoutes(
  app: ControlServer,
  { store }: { store: Store },
): Promise<void> {
  app.get(
    '/api/audit/searches',
    {
      config: { access: auditors },
      schema: {
        summary: 'Your saved searches',
        response: {
          200: z.object({
            searches: z.array(z.object({ name: z.string(), query, saved_at: instant })),
          }),
        },
      },
    },
    async (request) => {
      const searches = await listSearches(store, personOf(request))
      return {
        searches: searches.map(({ name, query: asked, savedAt }) => ({
          name,
          query: query.parse(asked),
          saved_at: savedAt.toISOString(),
        })),
      }
    },
  )

  app.put(
    '/api/audit/searches/:name',
    {
      config: { access: auditors },
      schema: {
        summary: 'Save a search, in the place of the one of this name',
        params,
        body: query,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const given = Object.entries(request.body).filter(([, value]) => value !== undefined)
      await saveSearch(store, personOf(request), {
        name: request.params.name,
        query: Object.fromEntries(given) as Record<string, string>,
      })
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/api/audit/searches/:name',
    {
      config: { access: auditors },
      schema: { summary: 'Forget a saved search', params, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await forgetSearch(store, personOf(request), request.params.name)
      return reply.code(204).send(null)
    },
  )
}
