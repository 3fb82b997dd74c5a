import { Problem } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Party } from '../../core/subject.ts'
import type { Store } from '../../store/db.ts'

/** A search that a person wants to have again. */
export interface SavedSearch {
  readonly name: string
  /** Parameters of `GET /api/audit/events`. */
  readonly query: JsonObject
  readonly savedAt: Date
}

/** For one person. */
const most = 50

/** By name. */
export function listSearches(store: Store, { issuer, subject }: Party): Promise<SavedSearch[]> {
  return store.query<SavedSearch>(
    `SELECT name, query, saved_at AS "savedAt" FROM sallyport.saved_searches
     WHERE issuer = $1 AND subject = $2 ORDER BY name`,
    [issuer, subject],
  )
}

/**
 * Saves it under this name, in the place of what had that name. Rejects with the problem
 * `bad-request` for one more than 50.
 */
export async function saveSearch(
  store: Store,
  { issuer, subject }: Party,
  { name, query }: Pick<SavedSearch, 'name' | 'query'>,
): Promise<void> {
  const saved = await store.query(
    `INSERT INTO sallyport.saved_searches AS s (issuer, subject, name, query)
     SELECT $1, $2, $3, $4::jsonb
      WHERE (SELECT count(*) FROM sallyport.saved_searches
              WHERE issuer = $1 AND subject = $2 AND name <> $3) < $5
     ON CONFLICT (issuer, subject, name) DO UPDATE SET query = excluded.query, saved_at = clock_timestamp()
     RETURNING 1`,
    [issuer, subject, name, JSON.stringify(query), most],
  )
  if (saved.length === 1) return
  throw new Problem('bad-request', `You have ${most} saved searches. Forget one of them first.`)
}

/** Rejects with the problem `not-found` where there is none of this name. */
export async function forgetSearch(
  store: Store,
  { issuer, subject }: Party,
  name: string,
): Promise<void> {
  const gone = await store.query(
    `DELETE FROM sallyport.saved_searches
     WHERE issuer = $1 AND subject = $2 AND name = $3 RETURNING 1`,
    [issuer, subject, name],
  )
  if (gone.length === 0) throw new Problem('not-found', 'You have no saved search of this name.')
}
