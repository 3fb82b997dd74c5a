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
 * Keeps a request. The latest attempt replaces an earlier one: its credential usually lasts longer,
 * and its payload is the same, since its digest is.
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
 * Approved requests that wait to be sent and that one of these keys opens, in the order of
 * approval.
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

/** Deletes requests that will never be sent, because their approval has ended or been used. */
export async function deleteSpent(db: Queryable): Promise<void> {
  await db.query(
    `DELETE FROM sallyport.spooled_requests s USING sallyport.approvals a
      WHERE a.id = s.approval AND a.state NOT IN ('pending', 'approved')`,
  )
}
