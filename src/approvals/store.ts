import type { Outcome } from '../core/event.ts'
import { foldName } from '../core/person.ts'
import type { Queryable } from '../store/db.ts'
import type { Approval, Holder, NewApproval, Resolution } from './approval.ts'
import type { Exclusion } from './exclusion.ts'
import type { ApprovalState } from './machine.ts'
import { approvalOf, columns, type ApprovalRow } from './row.ts'

/** The database's clock at this moment. Not `now()`, which is the start of the transaction. */
export async function databaseTime(db: Queryable): Promise<Date> {
  const [row] = await db.query<{ time: Date }>('SELECT clock_timestamp() AS time')
  return row!.time
}

export async function insertApproval(tx: Queryable, it: NewApproval): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.approvals
       (id, subject_key, resource, digest, binding, action, payload, decision, view_hash, ran_before,
        connection, definitions, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6::json, $7::json, $8::jsonb, $9, $10::jsonb, $11::jsonb, $12, $13, $14)`,
    [
      it.id,
      it.subjectKey,
      it.resource,
      it.digest,
      it.binding,
      JSON.stringify(it.action),
      JSON.stringify(it.payload),
      JSON.stringify(it.decision),
      it.viewHash,
      it.ranBefore && JSON.stringify(it.ranBefore),
      it.connection && JSON.stringify(it.connection),
      it.definitions,
      it.createdAt,
      it.expiresAt,
    ],
  )
}

export async function insertExclusion(tx: Queryable, id: string, it: Exclusion): Promise<void> {
  const names = [...new Set(it.parties.map(({ subject }) => foldName(subject)))]
  await tx.query(
    `INSERT INTO sallyport.approval_exclusions (approval, kind, name)
     SELECT $1::uuid, 'party', unnest($2::text[]) UNION SELECT $1::uuid, 'group', unnest($3::text[])`,
    [id, names, it.groups],
  )
}

export async function findOpen(
  tx: Queryable,
  subjectKey: string,
  resource: string,
  digest: string,
): Promise<Approval | null> {
  const [row] = await tx.query<ApprovalRow>(
    `SELECT ${columns} FROM sallyport.approvals
      WHERE subject_key = $1 AND resource = $2 AND digest = $3 AND state IN ('pending', 'approved')
        FOR UPDATE`,
    [subjectKey, resource, digest],
  )
  return row ? approvalOf(row) : null
}

/**
 * The last run of the same digest. Approvers have to know that it ran, above all if it ended as
 * `unknown`.
 */
export async function findRunBefore(
  tx: Queryable,
  subjectKey: string,
  resource: string,
  digest: string,
): Promise<Approval['ranBefore']> {
  const [row] = await tx.query<{ id: string; state: ApprovalState }>(
    `SELECT id, state FROM sallyport.approvals
      WHERE subject_key = $1 AND resource = $2 AND digest = $3
        AND state IN ('dispatching', 'succeeded', 'failed', 'unknown')
      ORDER BY created_at DESC LIMIT 1`,
    [subjectKey, resource, digest],
  )
  return row ?? null
}

export async function getApproval(db: Queryable, id: string): Promise<Approval | null> {
  const [row] = await db.query<ApprovalRow>(
    `SELECT ${columns} FROM sallyport.approvals WHERE id = $1`,
    [id],
  )
  return row ? approvalOf(row) : null
}

export interface Locked {
  readonly approval: Approval
  /** By the database's clock, read after taking the lock. */
  readonly now: Date
  /**
   * `false` if the approval is from before the database was restored or promoted, and may have been
   * used since.
   */
  readonly ofThisLife: boolean
}

/**
 * Locks the approval and reads the database's clock after that, so that nothing is approved or
 * claimed past its time.
 */
export async function lockApproval(tx: Queryable, id: string): Promise<Locked | null> {
  const [row] = await tx.query<ApprovalRow & { ofThisLife: boolean }>(
    `SELECT ${columns}, incarnation = sallyport.incarnation() AS "ofThisLife"
       FROM sallyport.approvals WHERE id = $1 FOR UPDATE`,
    [id],
  )
  if (!row) return null
  return { approval: approvalOf(row), now: await databaseTime(tx), ofThisLife: row.ofThisLife }
}

export interface Edge {
  readonly to: ApprovalState
  readonly resolution?: Resolution
  readonly holder?: Holder
  readonly outcome?: Outcome
}

/** Takes one edge by compare-and-set. Resolves to `null` if somebody else took one first. */
export async function moveApproval(
  tx: Queryable,
  from: Approval,
  { to, resolution, holder, outcome }: Edge,
): Promise<Approval | null> {
  const [row] = await tx.query<ApprovalRow>(
    `UPDATE sallyport.approvals
        SET state = $4, version = version + 1,
            resolved_at = coalesce(resolved_at, clock_timestamp()),
            resolution = coalesce($5::jsonb, resolution),
            holder_replica = coalesce($6::uuid, holder_replica),
            holder_epoch = coalesce($7::bigint, holder_epoch),
            holder_action = coalesce($8::uuid, holder_action),
            outcome = coalesce($9::jsonb, outcome)
      WHERE id = $1 AND state = $2 AND version = $3
      RETURNING ${columns}`,
    [
      from.id,
      from.state,
      from.version,
      to,
      resolution && JSON.stringify(resolution),
      holder?.replica,
      holder?.epoch,
      holder?.action,
      outcome && JSON.stringify(outcome),
    ],
  )
  return row ? approvalOf(row) : null
}
