import type { Credential } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'

/**
 * Whether this credential is worth something now, by the database's clock: for the transaction that uses an approval, which may come
 * long after the credential was presented.
 */
export async function credentialStillValid(
  tx: Queryable,
  { kind, id, expiresAt }: Credential,
): Promise<boolean> {
  if (kind === 'agent-key') return keyStillValid(tx, id)
  // A token without an end is none that we have verified. Closed.
  if (expiresAt === null) return false
  const [row] = await tx.query<{ valid: boolean }>(
    'SELECT clock_timestamp() < $1::timestamptz AS valid',
    [new Date(expiresAt)],
  )
  return row!.valid
}

async function keyStillValid(tx: Queryable, id: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT id FROM sallyport.agent_keys
      WHERE id = $1 AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
    [id],
  )
  return rows.length === 1
}
