import { z } from 'zod'
import { forgetSearch, listSearches, saveSearch } from '../../audit/search/saved.ts'
import type { Store } from '../../store/db.ts'
import { personOf } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { instant } from '../openapi.ts'
import { searchable } from './audit.ts'

const auditors = { roles: ['auditor'] } as const

/** JSON allows what the database's texts cannot hold: NUL, and lone surrogates. */
const text = z
  .string()
  .refine((it) => it.isWellFormed() && !it.includes('\0'), 'No text has such a character in it.')

const name = text.trim().min(1).max(80)

/** The query as it was written, so that a search for the last day stays one for the last day. */
const query = z
  .strictObject({
    ...Object.fromEntries(searchable.map((name) => [name, text.max(400).optional()])),
    since: text.max(10).optional().describe('a range that ends now: `15m`, `24h`, `7d` …'),
  })
  .describe('parameters of GET /api/audit/events')

/** Saved searches. Each person has their own. */
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
        searches: searches.map(({ name: as, query: asked, savedAt }) => ({
          name: as,
          query: query.parse(asked),
          saved_at: savedAt.toISOString(),
        })),
      }
    },
  )

  app.post(
    '/api/audit/searches',
    {
      config: { access: auditors },
      schema: {
        summary: 'Save a search, in the place of the one of this name',
        body: z.strictObject({ name, query }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { name: as, query: asked } = request.body
      const given = Object.entries(asked).filter(([, value]) => value !== undefined)
      const kept = Object.fromEntries(given) as Record<string, string>
      await saveSearch(store, personOf(request), { name: as, query: kept })
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/api/audit/searches/forget',
    {
      config: { access: auditors },
      schema: {
        summary: 'Forget a saved search',
        body: z.strictObject({ name }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await forgetSearch(store, personOf(request), request.body.name)
      return reply.code(204).send(null)
    },
  )
}
