import type { Queryable } from '../store/db.ts'
import type { Approval } from './approval.ts'
import type { ApprovalState } from './machine.ts'
import { approvalOf, columns, type ApprovalRow } from './row.ts'

/**
 * How many approvals have not ended, by state. Two queries in one, because each has an index of its
 * own.
 */
export async function countByState(db: Queryable): Promise<Map<string, number>> {
  const rows = await db.query<{ state: string; open: number }>(
    `SELECT state, count(*)::int AS open FROM sallyport.approvals
      WHERE state IN ('pending', 'approved') GROUP BY state
     UNION ALL
     SELECT 'dispatching', count(*)::int FROM sallyport.approvals WHERE state = 'dispatching'`,
  )
  const none = { pending: 0, approved: 0, dispatching: 0 }
  return new Map(
    Object.entries({ ...none, ...Object.fromEntries(rows.map((row) => [row.state, row.open])) }),
  )
}

/**
 * Characters of payloads on one page. A hundred large ones would be too much for a phone, and for
 * the gateway.
 */
const pageBudget = 2 * 1024 * 1024

/**
 * Lists approvals, newest first: up to `limit` of them, or fewer when they are large. `next` is the
 * `before` of the following page, or `null` at the end. Ids are UUIDv7, so they are in the order of
 * age.
 */
export async function listApprovals(
  db: Queryable,
  filter: { states?: readonly ApprovalState[]; before?: string; limit: number },
): Promise<{ approvals: Approval[]; next: string | null }> {
  const rows = await db.query<ApprovalRow & { more: boolean }>(
    `SELECT ${columns}, within < found AS more FROM (
       SELECT *, row_number() OVER newest AS within, count(*) OVER () AS found,
              sum(length(payload::text)) OVER newest - length(payload::text) AS before_it
         FROM (SELECT * FROM sallyport.approvals
                WHERE ($1::text[] IS NULL OR state = ANY ($1)) AND ($2::uuid IS NULL OR id < $2)
                ORDER BY id DESC LIMIT $3 + 1) candidates
       WINDOW newest AS (ORDER BY id DESC)) page
      WHERE within <= $3 AND before_it < $4
      ORDER BY id DESC`,
    [filter.states ?? null, filter.before ?? null, filter.limit, pageBudget],
  )
  const last = rows.at(-1)
  return {
    approvals: rows.map(({ more: _, ...row }) => approvalOf(row)),
    next: last?.more ? last.id : null,
  }
}

/** Which of these approvals no longer wait, because they were decided or have expired. */
export async function settledOf(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM sallyport.approvals
      WHERE id = ANY ($1::uuid[]) AND (state <> 'pending' OR expires_at <= clock_timestamp())`,
    [ids],
  )
  return rows.map(({ id }) => id)
}

export async function listOverdue(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM sallyport.approvals
      WHERE state IN ('pending', 'approved') AND expires_at <= clock_timestamp() LIMIT $1`,
    [limit],
  )
  return rows.map(({ id }) => id)
}

/** Open approvals from before the database was restored or promoted. */
export async function listOfAnotherLife(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM sallyport.approvals
      WHERE state IN ('pending', 'approved') AND incarnation <> sallyport.incarnation()`,
  )
  return rows.map(({ id }) => id)
}

export async function listOpen(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM sallyport.approvals WHERE state IN ('pending', 'approved') ORDER BY id`,
  )
  return rows.map(({ id }) => id)
}

/**
 * Approvals whose runs will never get an outcome, because the holder has ended or is taken for
 * dead.
 */
export async function listLost(db: Queryable, marginMs: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT a.id FROM sallyport.approvals a
       JOIN sallyport.replicas r ON (r.replica, r.epoch) = (a.holder_replica, a.holder_epoch)
      WHERE a.state = 'dispatching'
        AND (r.closed_at IS NOT NULL OR r.lease_until < clock_timestamp() - $1 * interval '1 ms')`,
    [marginMs],
  )
  return rows.map(({ id }) => id)
}
