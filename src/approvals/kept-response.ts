import type { Queryable } from '../store/db.ts'
import type { Sealed } from '../store/sealer.ts'

/** Why there is nothing to fetch, or nothing any more. */
export type Gone = 'delivered' | 'expired' | 'too-large' | 'no-answer'

export type KeptResponse =
  | (Sealed & { readonly gone: null })
  | { readonly keyId: string; readonly sealed: null; readonly gone: Gone }

/** `keepMs`: milliseconds until the response is forgotten. */
export async function insertResponse(
  tx: Queryable,
  approval: string,
  { keyId, sealed, gone }: KeptResponse,
  keepMs: number,
): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.kept_responses (approval, key_id, sealed, gone, expires_at)
     VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 ms')`,
    [approval, keyId, sealed, gone, keepMs],
  )
}

/**
 * `null` for an approval whose response was not kept. A response past its time counts as gone even
 * before housekeeping has deleted it.
 */
export async function getResponse(db: Queryable, approval: string): Promise<KeptResponse | null> {
  const [row] = await db.query<KeptResponse & { late: boolean }>(
    `SELECT key_id AS "keyId", sealed, gone, expires_at <= clock_timestamp() AS late
       FROM sallyport.kept_responses WHERE approval = $1`,
    [approval],
  )
  if (!row) return null
  const { late, ...kept } = row
  return late && kept.gone === null ? { keyId: kept.keyId, sealed: null, gone: 'expired' } : kept
}

/** Resolves to `false` if it was gone already. */
export async function markDelivered(tx: Queryable, approval: string): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE sallyport.kept_responses SET sealed = NULL, gone = 'delivered'
      WHERE approval = $1 AND gone IS NULL RETURNING approval`,
    [approval],
  )
  return rows.length === 1
}

/** Deletes responses that nobody fetched in time. */
export async function forgetOverdue(db: Queryable): Promise<void> {
  await db.query(
    `UPDATE sallyport.kept_responses SET sealed = NULL, gone = 'expired'
      WHERE gone IS NULL AND expires_at <= clock_timestamp()`,
  )
}
