import type { Action } from '../core/action.ts'
import type { Queryable } from '../store/db.ts'
import { readRecent, recentRuns } from './recent.ts'
import type { UnderWay } from './under-way.ts'

const seen = `
  SELECT json_agg(f.item) FROM sallyport.usage_first f
  WHERE f.who = sallyport.usage_who($1, $2) AND f.resource = $3 AND f.item = ANY ($4::text[])`

const statement = { name: 'usage_seen', text: recentRuns(seen) }

/**
 * The data of an action that its subject has not touched before, as far as that is on record:
 * `table public.orders`, `dataset customers`. Actions that were denied, held or failed do not count
 * as touching. `null` where it cannot be told. Rejects with a `StoreError`.
 */
export async function firstUses(
  tx: Queryable,
  { subject, resource, data }: Action,
  underWay: UnderWay,
): Promise<readonly string[] | null> {
  const items = data ? itemsOf(data) : []
  if (items.length === 0) return []
  const at = performance.now()
  const { issuer, subject: name } = subject
  const params = [issuer, name, resource, items]
  const found = await readRecent(tx, statement, params)
  if (!found || found.unreadable.length > 0) return null
  const touched = [...found.recent, ...underWay.of(subject, at)].filter(
    (run) => run.ran && run.resource === resource,
  )
  const known = new Set([
    ...((found.counted ?? []) as readonly string[]),
    ...touched.flatMap(itemsOf),
  ])
  return items.filter((item) => !known.has(item))
}

function itemsOf({ tables, datasets }: Pick<NonNullable<Action['data']>, 'tables' | 'datasets'>) {
  return [...datasets.map((name) => `dataset ${name}`), ...tables.map((name) => `table ${name}`)]
}
