import type { Queryable } from '../store/db.ts'

/** How many events of the signed log are not counted yet. Rejects with a `StoreError`. */
export async function usageBacklog(db: Queryable): Promise<number> {
  const [backlog] = await db.query<{ events: number }>(
    `SELECT (SELECT size FROM sallyport.audit_tree) - (SELECT next FROM sallyport.usage_progress) AS events`,
  )
  return backlog!.events
}
