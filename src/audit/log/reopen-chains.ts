import type { Store } from '../../store/db.ts'
import { nextOfChain } from '../../store/open-chains.ts'

/**
 * Chains that are noted to be over and whole in the log, and are not, are looked at again. Resolves
 * to how many there were: only somebody in the database can have noted that.
 */
export async function reopenChains(store: Store): Promise<number> {
  const [found] = await store.query<{ reopened: number }>(
    `WITH reopened AS (
       UPDATE sallyport.audit_tree_chains r SET ended = false
        WHERE ended AND EXISTS (SELECT FROM sallyport.audit_links l
                                 WHERE l.replica = r.replica AND l.epoch = r.epoch
                                   AND l.first >= ${nextOfChain})
       RETURNING 1)
     SELECT count(*) AS reopened FROM reopened`,
  )
  return found!.reopened
}
