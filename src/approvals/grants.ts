import { randomUUIDv7 } from 'node:crypto'
import type { Queryable } from '../store/db.ts'
import type { Connection } from './approval.ts'

/** Leave for more than one run, which approvers gave. */
export interface Grant {
  readonly id: string
  readonly approval: string
  readonly subjectKey: string
  readonly resource: string
  readonly binding: string
  readonly digest: string | null
  readonly match: Readonly<Record<string, unknown>> | null
  readonly rules: readonly string[]
  /** The only connection that it is good for; `null` for any. */
  readonly connection: string | null
  /** Milliseconds since it was granted. */
  readonly ageMs: number
  readonly expiresAt: Date
}

/**
 * Writes a grant down, and resolves to its id. `on`: the connection that it is limited to, with
 * whose credential it ends at the latest.
 */
export async function insertGrant(
  tx: Queryable,
  grant: Omit<Grant, 'id' | 'connection' | 'ageMs' | 'expiresAt'>,
  minutes: number,
  on: Connection | null = null,
): Promise<string> {
  const id = randomUUIDv7()
  await tx.query(
    `INSERT INTO sallyport.grants
       (id, approval, subject_key, resource, binding, digest, match, rules, connection, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8, $10,
             least(clock_timestamp() + make_interval(mins => $9::int), to_timestamp($11::float8 / 1000)))`,
    [
      id,
      grant.approval,
      grant.subjectKey,
      grant.resource,
      grant.binding,
      grant.digest,
      grant.match && JSON.stringify(grant.match),
      grant.rules,
      minutes,
      on?.id ?? null,
      on?.until ?? null,
    ],
  )
  return id
}

/**
 * The grants that are good now for this subject, on this resource with its present binding, over
 * this connection.
 */
export function listGrants(
  tx: Queryable,
  subjectKey: string,
  resource: string,
  binding: string,
  connection: string | null,
): Promise<Grant[]> {
  return tx.query<Grant>(
    `SELECT id, approval, subject_key AS "subjectKey", resource, binding, digest, match, rules, connection,
            (extract(epoch FROM clock_timestamp() - granted_at) * 1000)::float8 AS "ageMs",
            expires_at AS "expiresAt"
       FROM sallyport.grants
      WHERE subject_key = $1 AND resource = $2 AND binding = $3 AND expires_at > clock_timestamp()
        AND incarnation = sallyport.incarnation()
        AND (connection IS NULL OR connection = $4::uuid)
      ORDER BY id`,
    [subjectKey, resource, binding, connection],
  )
}

/** The approvals from which this subject ever got grants on this resource. */
export async function listGrantingApprovals(
  tx: Queryable,
  subjectKey: string,
  resource: string,
): Promise<string[]> {
  const rows = await tx.query<{ approval: string }>(
    'SELECT DISTINCT approval FROM sallyport.grants WHERE subject_key = $1 AND resource = $2',
    [subjectKey, resource],
  )
  return rows.map(({ approval }) => approval)
}
