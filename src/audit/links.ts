import type { Queryable } from '../store/db.ts'
import type { Epoch } from '../store/lease.ts'
import type { Batch } from './rows.ts'

/** The last durable link of a chain. */
export interface Head {
  readonly n: number
  /** In hex. */
  readonly hash: string
}

/** `null` for a chain that has no link yet. */
export async function readHead(store: Queryable, { replica, epoch }: Epoch): Promise<Head | null> {
  const [last] = await store.query<{ n: number; hash: Buffer }>(
    `SELECT first + cardinality(events) - 1 AS n,
            substring(hashes FROM octet_length(hashes) - 31 FOR 32) AS hash
     FROM sallyport.audit_links
     WHERE replica = $1 AND epoch = $2 ORDER BY first DESC LIMIT 1`,
    [replica, epoch],
  )
  return last ? { n: last.n, hash: last.hash.toString('hex') } : null
}

/**
 * What occupies the places that a batch wants: the batch itself, the end of the chain, or links
 * that some of its events have already.
 */
export type Conflict =
  | { readonly kind: 'same' | 'taken' | 'unknown' }
  | { readonly kind: 'linked'; readonly events: ReadonlySet<string> }

export async function findConflict(store: Queryable, batch: Batch): Promise<Conflict> {
  const { chain, first, events } = batch
  const [stretch] = await store.query<{ hash: Buffer; count: number }>(
    `SELECT substring(hashes FROM octet_length(hashes) - 31 FOR 32) AS hash,
            cardinality(events) AS count
     FROM sallyport.audit_links WHERE replica = $1 AND epoch = $2 AND first = $3`,
    [chain.replica, chain.epoch, first],
  )
  if (stretch) {
    const same =
      stretch.count === events.length && stretch.hash.toString('hex') === events.at(-1)!.hash
    return { kind: same ? 'same' : 'taken' }
  }
  const linked = await store.query<{ event: string }>(
    `SELECT event FROM sallyport.audit_places WHERE event = ANY ($1::uuid[])
     UNION ALL
     SELECT id FROM sallyport.audit_events WHERE id = ANY ($1::uuid[]) AND n IS NOT NULL`,
    [`{${events.map(({ id }) => id).join(',')}}`],
  )
  if (linked.length === 0) return { kind: 'unknown' }
  return { kind: 'linked', events: new Set(linked.map(({ event }) => event)) }
}
