import { randomUUIDv7 } from 'node:crypto'
import type { Queryable } from '../store/db.ts'
import type { Connection } from './approval.ts'

/** What was granted beyond one run. */
export interface Grant {
  readonly id: string
  readonly approval: string
  readonly subjectKey: string
  readonly resource: string
  readonly binding: string
  readonly digest: string | null
  readonly match: Readonly<Record<string, unknown>> | null
  readonly rules: readonly string[]
  /** The only connection that it is good on; `null` where it is good on any. */
  readonly connection: string | null
  /** Milliseconds since it was granted. */
  readonly ageMs: number
  readonly expiresAt: Date
}

/** `on`: the connection that it ends with, and with whose credential. */
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
 * The grants that this subject has now on this resource, as it is bound now, on this connection.
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

/** The approvals by which this subject was ever granted more than one run on this resource. */
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
