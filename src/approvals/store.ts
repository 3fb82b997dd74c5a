import { Unknown, type Action, type Attribute } from '../core/action.ts'
import type { Outcome } from '../core/event.ts'
import { foldName } from '../core/person.ts'
import type { Party } from '../core/subject.ts'
import type { Queryable } from '../store/db.ts'
import type { Approval, Holder, NewApproval, Resolution, Vote, VoteDecision } from './approval.ts'
import type { Exclusion } from './exclusion.ts'
import type { ApprovalState } from './machine.ts'
import type { Scope } from './scope.ts'

const columns = `
  id, state, version, subject_key AS "subjectKey", resource, digest, binding, action, payload, decision,
  view_hash AS "viewHash", ran_before AS "ranBefore", connection, created_at AS "createdAt", expires_at AS "expiresAt",
  resolved_at AS "resolvedAt", resolution, holder_replica AS "holderReplica", holder_epoch AS "holderEpoch", holder_action AS "holderAction", outcome`

type Row = Omit<Approval, 'holder'> & {
  holderReplica: string | null
  holderEpoch: number | null
  holderAction: string | null
}

function approval({ holderReplica, holderEpoch, holderAction, ...row }: Row): Approval {
  const holder =
    holderReplica === null || holderEpoch === null || holderAction === null
      ? null
      : { replica: holderReplica, epoch: holderEpoch, action: holderAction }
  return { ...row, action: reviveAction(row.action), holder }
}

/**
 * An attribute that could not be computed, or a part of one, is stored as `{"unknown": why}`. If an agent sends just that as its JSON, it becomes `Unknown` when it
 * is read back: closed, since nothing is worse than unknown.
 */
export function reviveAction(action: Action): Action {
  const attributes = Object.fromEntries(
    Object.entries(action.attributes).map(([protocol, values]) => [
      protocol,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, revive(value)])),
    ]),
  )
  return { ...action, attributes }
}

function revive(value: Attribute): Attribute {
  if (value instanceof Unknown || !isObject(value)) return value
  return (
    unknownOf(value) ??
    Object.fromEntries(
      Object.entries(value).map(([name, part]) => [
        name,
        part instanceof Unknown || !isObject(part) ? part : (unknownOf(part) ?? part),
      ]),
    )
  )
}

function isObject(value: Attribute): value is Exclude<Attribute, Unknown> & object {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function unknownOf(value: object): Unknown | null {
  const { unknown } = value as { unknown?: unknown }
  return typeof unknown === 'string' && Object.keys(value).length === 1
    ? new Unknown(unknown)
    : null
}

/** The database's clock, now: not `now()`, which is the start of the transaction. */
export async function databaseTime(db: Queryable): Promise<Date> {
  const [row] = await db.query<{ time: Date }>('SELECT clock_timestamp() AS time')
  return row!.time
}

/** Waits for everybody else who opens an approval for this subject, so that its number of open ones can be counted. */
export async function lockSubject(tx: Queryable, subjectKey: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [subjectKey])
}

export async function countOpen(tx: Queryable, subjectKey: string): Promise<number> {
  const [row] = await tx.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM sallyport.approvals
      WHERE subject_key = $1 AND state IN ('pending', 'approved')`,
    [subjectKey],
  )
  return row!.open
}

/** Approvals that this subject asked for within an hour, whatever became of them. */
export async function countAskedLately(tx: Queryable, subjectKey: string): Promise<number> {
  const [row] = await tx.query<{ asked: number }>(
    `SELECT count(*)::int AS asked FROM sallyport.approvals
      WHERE subject_key = $1 AND created_at > clock_timestamp() - interval '1 hour'`,
    [subjectKey],
  )
  return row!.asked
}

/** How many approvals have not ended, by state. Two parts, since each has an index of its own. */
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

export async function insertApproval(tx: Queryable, it: NewApproval): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.approvals
       (id, subject_key, resource, digest, binding, action, payload, decision, view_hash, ran_before,
        connection, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6::json, $7::json, $8::jsonb, $9, $10::jsonb, $11::jsonb, $12, $13)`,
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
  const [row] = await tx.query<Row>(
    `SELECT ${columns} FROM sallyport.approvals
      WHERE subject_key = $1 AND resource = $2 AND digest = $3 AND state IN ('pending', 'approved')
        FOR UPDATE`,
    [subjectKey, resource, digest],
  )
  return row ? approval(row) : null
}

/** The last run of the same digest: an approver has to know that it ran, and above all that nobody knows how it ended. */
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
  const [row] = await db.query<Row>(`SELECT ${columns} FROM sallyport.approvals WHERE id = $1`, [
    id,
  ])
  return row ? approval(row) : null
}

export interface Locked {
  readonly approval: Approval
  /** By the database's clock, after the lock. */
  readonly now: Date
  /** `false`: it was asked for before the database was restored or promoted, and may have been used since. */
  readonly ofThisLife: boolean
}

/** Locks the approval and reads the database's clock after that, so that nothing is approved or claimed past its time. */
export async function lockApproval(tx: Queryable, id: string): Promise<Locked | null> {
  const [row] = await tx.query<Row & { ofThisLife: boolean }>(
    `SELECT ${columns}, incarnation = sallyport.incarnation() AS "ofThisLife"
       FROM sallyport.approvals WHERE id = $1 FOR UPDATE`,
    [id],
  )
  if (!row) return null
  return { approval: approval(row), now: await databaseTime(tx), ofThisLife: row.ofThisLife }
}

export interface Edge {
  readonly to: ApprovalState
  readonly resolution?: Resolution
  readonly holder?: Holder
  readonly outcome?: Outcome
}

/** Takes one edge by compare-and-set. `null`: somebody else took one first. */
export async function moveApproval(
  tx: Queryable,
  from: Approval,
  { to, resolution, holder, outcome }: Edge,
): Promise<Approval | null> {
  const [row] = await tx.query<Row>(
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
  return row ? approval(row) : null
}

/** The database's own word on whether somebody is behind the action, under any identity that is known of them. */
export async function isExcludedByStore(tx: Queryable, id: string, voter: Party): Promise<boolean> {
  const [row] = await tx.query<{ excluded: boolean }>(
    'SELECT sallyport.is_excluded($1, $2, $3) AS excluded',
    [id, voter.issuer, voter.subject],
  )
  return row!.excluded
}

export interface NewVote {
  readonly issuer: string
  readonly subject: string
  readonly decision: VoteDecision
  readonly reason: string | null
  readonly scope: Scope
  readonly viewHash: string
  readonly channel: string
}

/**
 * `false`: this person has voted already; to approve, under another of their identities too. To deny that does not count: a name that somebody took must not
 * keep another from saying no. Whoever has approved can still break the glass.
 */
export async function insertVote(tx: Queryable, id: string, vote: NewVote): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO sallyport.approval_votes
       (approval, issuer, subject, person, decision, reason, scope, view_hash, channel)
     SELECT $1, $2, $3, sallyport.canonical_person($2, $3), $4, $5, $6::jsonb, $7, $8
      WHERE $4 <> 'approve' OR NOT EXISTS (
        SELECT FROM sallyport.approval_votes v
          JOIN sallyport.same_person($2, $3) p ON (p.issuer, p.subject) = (v.issuer, v.subject)
         WHERE v.approval = $1 AND v.decision = 'approve')
     ON CONFLICT DO NOTHING RETURNING approval`,
    [
      id,
      vote.issuer,
      vote.subject,
      vote.decision,
      vote.reason,
      JSON.stringify(vote.scope),
      vote.viewHash,
      vote.channel,
    ],
  )
  return rows.length === 1
}

export async function votesOf(db: Queryable, ids: readonly string[]): Promise<Map<string, Vote[]>> {
  const rows = await db.query<Vote & { approval: string }>(
    `SELECT v.approval, v.issuer, v.subject, p.name, v.decision, v.reason, v.scope, v.channel,
            v.voted_at AS "votedAt", p.groups,
            ARRAY(SELECT DISTINCT unnest(identifiers) FROM sallyport.same_person(v.issuer, v.subject)) AS names,
            sallyport.is_excluded(v.approval, v.issuer, v.subject)
              OR sallyport.is_disabled(v.issuer, v.subject) AS excluded
       FROM sallyport.approval_votes v
       JOIN sallyport.people p ON p.issuer = v.issuer AND p.subject = v.subject
      WHERE v.approval = ANY ($1::uuid[])
      ORDER BY v.voted_at`,
    [ids],
  )
  const votes = new Map<string, Vote[]>(ids.map((id) => [id, []]))
  for (const { approval: id, ...vote } of rows) votes.get(id)!.push(vote)
  return votes
}

/** Characters of payloads on one page: a hundred large ones would be too much for a phone, and for the gateway. */
const pageBudget = 2 * 1024 * 1024

/**
 * Newest first, up to `limit` of them, or fewer when they are large; `next` is the id to go on before, or `null` at the end. Ids are
 * UUIDv7, so their order is that of their age.
 */
export async function listApprovals(
  db: Queryable,
  filter: { states?: readonly ApprovalState[]; before?: string; limit: number },
): Promise<{ approvals: Approval[]; next: string | null }> {
  const rows = await db.query<Row & { more: boolean }>(
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
    approvals: rows.map(({ more: _, ...row }) => approval(row)),
    next: last?.more ? last.id : null,
  }
}

/** Those of these approvals that are no longer waiting: decided, or past their time. */
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

/** Open ones that were asked for before the database was restored or promoted. */
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

/** Runs whose holder has ended, or is taken for dead: nobody will say any more what became of them. */
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
