import type { Queryable } from '../store/db.ts'

/**
 * Events of the signed log that are not counted yet, on all replicas. Rejects with `StoreError`.
 */
export async function usageBacklog(db: Queryable): Promise<number> {
  const [backlog] = await db.query<{ events: number }>(
    `SELECT (SELECT size FROM sallyport.audit_tree) - (SELECT next FROM sallyport.usage_progress) AS events`,
  )
  return backlog!.events
}
