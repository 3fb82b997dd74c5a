import type { Credential } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'
import { Refusal } from './refusal.ts'

/**
 * Whether those who vouch for this credential still do. Its issuer is asked, unless it was a moment
 * ago. Closed: anything but a clear yes means no. To be asked before a transaction and not within
 * it, where a hanging issuer would hold locks that others wait for.
 */
export async function stillVouchedFor({ recheck }: Credential): Promise<boolean> {
  try {
    await recheck?.()
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/**
 * Whether this credential is valid now, by the database's clock. For the transaction that uses an
 * approval, which may come long after the credential was presented.
 */
export async function credentialStillValid(
  tx: Queryable,
  credential: Credential,
): Promise<boolean> {
  const { kind, id, expiresAt } = credential
  if (await hasEnded(tx, credential)) return false
  if (kind === 'agent-key') return keyStillValid(tx, id)
  // Closed: we verify no token or certificate without an expiry.
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

/**
 * Whether an identity provider ended the session, or disabled the account, of somebody behind it.
 */
async function hasEnded(
  tx: Queryable,
  { names = [], issuedAt }: Pick<Credential, 'names' | 'issuedAt'>,
): Promise<boolean> {
  if (names.length === 0) return false
  const [row] = await tx.query<{ ended: boolean }>(
    `SELECT EXISTS (
       SELECT FROM sallyport.ended_subjects e
         JOIN unnest($1::text[], $2::text[], $3::text[]) AS n (issuer, name, role) USING (issuer, name)
        WHERE e.disabled OR (n.role = 'self' AND e.ended_at >= $4::timestamptz)) AS ended`,
    [
      names.map(({ issuer }) => issuer),
      names.map(({ name }) => name),
      names.map(({ as }) => as),
      // Closed: a credential of unknown age counts as older.
      new Date(issuedAt ?? 0),
    ],
  )
  return row!.ended
}
