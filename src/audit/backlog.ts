import type { Queryable } from '../store/db.ts'
import { nextOfChain, openChains } from '../store/open-chains.ts'

/**
 * Durable events that wait, on all replicas: to get into the signed log; and in there, for their
 * words.
 */
interface AuditBacklog {
  readonly log: number
  /** Some hundred in good order: they wait for more, and searches look through them. */
  readonly words: number
}

/**
 * By the ends of chains, so that it costs the same however much waits. Rejects with `StoreError`.
 */
export async function auditBacklog(db: Queryable): Promise<AuditBacklog> {
  const [backlog] = await db.query<AuditBacklog>(
    `SELECT coalesce(sum(last.next - r.next), 0)::float8 AS log,
            (SELECT size FROM sallyport.audit_tree) - (SELECT next FROM sallyport.audit_words_progress) AS words
       FROM (SELECT r.replica, r.epoch, ${nextOfChain} AS next FROM ${openChains}) r
      CROSS JOIN LATERAL (SELECT l.first + cardinality(l.events) AS next FROM sallyport.audit_links l
                            WHERE l.replica = r.replica AND l.epoch = r.epoch
                            ORDER BY l.first DESC LIMIT 1) last`,
  )
  return backlog!
}
