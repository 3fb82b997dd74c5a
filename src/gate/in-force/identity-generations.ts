import type { AuditLog } from '../../audit/append.ts'
import type { Subject } from '../../core/subject.ts'
import { hashOfIdentity, type GovernedIdentity } from '../../identity/governed.ts'
import type { Queryable } from '../../store/db.ts'

/** Notifications on this channel say that another identity is in force. */
export const identityChannel = 'sallyport_identity'

/** The identity settings that are in force for all replicas. */
export interface IdentityGeneration {
  readonly generation: number
  readonly hash: string
  readonly document: GovernedIdentity
}

/** `null` before there were any, and where the owner of the tables has deleted them all. */
export async function readIdentity(db: Queryable): Promise<IdentityGeneration | null> {
  const [row] = await db.query<IdentityGeneration>(
    'SELECT generation, hash, document FROM sallyport.identity_generations ORDER BY generation DESC LIMIT 1',
  )
  return row ?? null
}

/**
 * Whether these settings have been in force before. To be asked about settings that are not in
 * force now.
 */
export async function wasReplaced(db: Queryable, hash: string): Promise<boolean> {
  const rows = await db.query(
    'SELECT FROM sallyport.identity_generations WHERE hash = $1 LIMIT 1',
    [hash],
  )
  return rows.length > 0
}

/** Whether no other live replica could have a different configuration. */
export async function isAlone(db: Queryable, replica: string): Promise<boolean> {
  const others = await db.query(
    `SELECT FROM sallyport.replicas
      WHERE replica <> $1 AND closed_at IS NULL AND lease_until > clock_timestamp() LIMIT 1`,
    [replica],
  )
  return others.length === 0
}

export interface NewIdentity {
  readonly document: GovernedIdentity
  readonly replica: string
  readonly subject: Subject
  readonly approval: string | null
}

/**
 * Puts identity settings into force, and on record. Rejects with a `StoreError` of the code 23505
 * (unique_violation) if others came into force meanwhile.
 */
export async function activateIdentity(
  tx: Queryable,
  audit: AuditLog,
  before: IdentityGeneration | null,
  { document, replica, subject, approval }: NewIdentity,
): Promise<void> {
  const generation = (before?.generation ?? 0) + 1
  const hash = hashOfIdentity(document)
  await tx.query(
    `INSERT INTO sallyport.identity_generations (generation, hash, document, replica, approval)
     VALUES ($1, $2, $3::json, $4, $5)`,
    [generation, hash, JSON.stringify(document), replica, approval],
  )
  await audit.write(tx, {
    type: 'identity.activated',
    subject,
    ...(approval !== null && { approval }),
    details: { generation, identity: hash, instead_of: before?.hash ?? null },
  })
}
