import { randomUUID } from 'node:crypto'
import type { EventInput } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Party, Subject } from '../../core/subject.ts'
import type { Queryable } from '../../store/db.ts'

/** What a legal hold covers: events that meet all of these. At least one is not `null`. */
export interface LegalHoldScope {
  /** Inclusive. */
  readonly from: Date | null
  /** Exclusive. */
  readonly to: Date | null
  /** Who acted. */
  readonly subject: Party | null
  readonly action: string | null
}

export interface LegalHold extends LegalHoldScope {
  readonly id: string
  readonly reason: string
  readonly createdBy: Party
  readonly createdAt: Date
  readonly releasedBy: Party | null
  readonly releasedAt: Date | null
}

/** Writes an event in the caller's transaction (`AuditLog.write`). */
export type Record = (event: EventInput) => Promise<void>

interface Row {
  readonly id: string
  readonly reason: string
  readonly from_time: Date | null
  readonly to_time: Date | null
  readonly issuer: string | null
  readonly subject: string | null
  readonly action: string | null
  readonly created_by_issuer: string
  readonly created_by_subject: string
  readonly created_at: Date
  readonly released_by_issuer: string | null
  readonly released_by_subject: string | null
  readonly released_at: Date | null
}

/** All legal holds, those in force first, then the newest. */
export async function listLegalHolds(db: Queryable): Promise<LegalHold[]> {
  const rows = await db.query<Row>(
    'SELECT * FROM sallyport.legal_holds ORDER BY released_at IS NOT NULL, created_at DESC, id',
  )
  return rows.map(fromRow)
}

/**
 * Creates a hold and its record in the caller's transaction. It is in force once that has
 * committed.
 */
export async function createLegalHold(
  tx: Queryable,
  record: Record,
  by: Subject,
  { reason, from, to, subject, action }: LegalHoldScope & { readonly reason: string },
): Promise<LegalHold> {
  const [row] = await tx.query<Row>(
    `INSERT INTO sallyport.legal_holds
       (id, reason, from_time, to_time, issuer, subject, action, created_by_issuer, created_by_subject)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     RETURNING *`,
    [
      randomUUID(),
      reason,
      from,
      to,
      subject?.issuer ?? null,
      subject?.subject ?? null,
      action,
      by.issuer,
      by.subject,
    ],
  )
  const hold = fromRow(row!)
  const details = { hold: hold.id, reason, ...scopeInWords(hold) }
  await record({ type: 'audit.legal_hold_created', subject: by, details })
  return hold
}

/** Ends a hold and records that. Resolves to `null` if none with that id is in force. */
export async function releaseLegalHold(
  tx: Queryable,
  record: Record,
  by: Subject,
  { id, reason }: { readonly id: string; readonly reason: string },
): Promise<LegalHold | null> {
  const [row] = await tx.query<Row>(
    `UPDATE sallyport.legal_holds
     SET released_by_issuer = $2, released_by_subject = $3, released_at = clock_timestamp()
     WHERE id = $1 AND released_at IS NULL
     RETURNING *`,
    [id, by.issuer, by.subject],
  )
  if (!row) return null
  await record({ type: 'audit.legal_hold_released', subject: by, details: { hold: id, reason } })
  return fromRow(row)
}

/** What a hold covers, as it is shown and recorded, without unlimited conditions. */
export function scopeInWords({ from, to, subject, action }: LegalHoldScope): JsonObject {
  return {
    ...(from && { from: from.toISOString() }),
    ...(to && { to: to.toISOString() }),
    ...(subject && { of: { issuer: subject.issuer, subject: subject.subject } }),
    ...(action !== null && { action }),
  }
}

function fromRow(row: Row): LegalHold {
  return {
    id: row.id,
    reason: row.reason,
    from: row.from_time,
    to: row.to_time,
    subject: party(row.issuer, row.subject),
    action: row.action,
    createdBy: { issuer: row.created_by_issuer, subject: row.created_by_subject },
    createdAt: row.created_at,
    releasedBy: party(row.released_by_issuer, row.released_by_subject),
    releasedAt: row.released_at,
  }
}

function party(issuer: string | null, subject: string | null): Party | null {
  return issuer === null || subject === null ? null : { issuer, subject }
}
