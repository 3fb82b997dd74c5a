import type { Action } from '../core/action.ts'
import type { Credential } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'
import type { Sealed } from '../store/sealer.ts'
import { reviveAction } from './revive.ts'

/** A request that the gateway sends itself once it is approved. */
export interface SpooledRequest extends Sealed {
  readonly action: Action
  readonly credential: Credential
}

/**
 * The attempt that asks last counts: it has the credential that is good for longer. Its payload is
 * the same, since its digest is.
 */
export async function insertSpooled(
  tx: Queryable,
  approval: string,
  { action, credential, keyId, sealed }: SpooledRequest,
): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.spooled_requests (approval, action, credential, key_id, sealed)
     VALUES ($1, $2::json, $3::jsonb, $4, $5)
     ON CONFLICT (approval) DO UPDATE
       SET action = excluded.action, credential = excluded.credential, key_id = excluded.key_id, sealed = excluded.sealed`,
    [approval, JSON.stringify(action), JSON.stringify(credential), keyId, sealed],
  )
}

export async function getSpooled(db: Queryable, approval: string): Promise<SpooledRequest | null> {
  const [row] = await db.query<SpooledRequest>(
    `SELECT action, credential, key_id AS "keyId", sealed
       FROM sallyport.spooled_requests WHERE approval = $1`,
    [approval],
  )
  return row ? { ...row, action: reviveAction(row.action) } : null
}

export async function isSpooled(db: Queryable, approval: string): Promise<boolean> {
  const rows = await db.query('SELECT FROM sallyport.spooled_requests WHERE approval = $1', [
    approval,
  ])
  return rows.length === 1
}

/**
 * Approved requests that wait for a gateway to send them, the first one approved first; of those
 * that one of these keys opens.
 */
export async function listSendable(
  db: Queryable,
  keyIds: readonly string[],
  without: readonly string[],
  limit: number,
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT a.id FROM sallyport.spooled_requests s JOIN sallyport.approvals a ON a.id = s.approval
      WHERE a.state = 'approved' AND a.expires_at > clock_timestamp()
        AND s.key_id = ANY ($1::text[]) AND a.id <> ALL ($2::uuid[])
      ORDER BY a.resolved_at LIMIT $3`,
    [keyIds, without, limit],
  )
  return rows.map(({ id }) => id)
}

/** Forgets requests whose approval has ended or been used: they are never sent any more. */
export async function deleteSpent(db: Queryable): Promise<void> {
  await db.query(
    `DELETE FROM sallyport.spooled_requests s USING sallyport.approvals a
      WHERE a.id = s.approval AND a.state NOT IN ('pending', 'approved')`,
  )
}
