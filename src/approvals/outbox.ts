import { randomUUIDv7 } from 'node:crypto'
import type { Eligible } from '../core/decision.ts'
import type { JsonObject } from '../core/json.ts'
import type { Queryable } from '../store/db.ts'

/**
 * `announce` and `escalate` are messages that are kept up to date to the approval's end. `remind`
 * is sent once, if nobody has decided by then.
 */
export type Purpose = 'announce' | 'escalate' | 'remind'

/** A place where an approval has to be announced, and when. */
export interface Announcement {
  /** The channel that delivers it: `slack`, `webhook:siem`. */
  readonly channel: string
  /** The place in the channel: `#data-approvals`; empty where there is only one. */
  readonly target: string
  readonly purpose: Purpose
  /** Not before this instant. */
  readonly due: Date
}

/** A notice that this attempt may deliver until its claim runs out. */
export interface Claimed {
  readonly id: string
  readonly approval: string
  readonly channel: string
  readonly target: string
  readonly purpose: Purpose
  readonly wanted: number
  readonly attempts: number
  readonly receipt: JsonObject | null
  /** For a reminder: the receipt of the first message in the same place. */
  readonly announced: JsonObject | null
  readonly claim: string
  readonly createdAt: Date
}

/**
 * Writes notices down in the transaction of what they tell, so that both are durable or neither is.
 * Notices that exist already stay as they are.
 */
export async function insertNotices(
  tx: Queryable,
  approval: string,
  list: readonly Announcement[],
): Promise<void> {
  for (const { channel, target, purpose, due } of list) {
    await tx.query(
      `INSERT INTO sallyport.notices (id, approval, channel, target, purpose, due_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [randomUUIDv7(), approval, channel, target, purpose, due],
    )
  }
}

/**
 * Members of a chat whose accounts belong to people who may vote on this approval by their known
 * groups, and who are not behind its action.
 */
export async function linkedApprovers(
  tx: Queryable,
  channel: string,
  approval: string,
  offers: readonly Eligible[],
): Promise<string[]> {
  const groups = offers.flatMap((from) => ('group' in from ? from.group : []))
  const people = offers.flatMap((from) => ('people' in from ? from.people : []))
  const rows = await tx.query<{ member: string }>(
    `SELECT DISTINCT l.member FROM sallyport.chat_links l JOIN sallyport.people p USING (issuer, subject)
      WHERE l.channel = $1 AND NOT sallyport.is_excluded($2, p.issuer, p.subject)
        AND (p.groups && $3::text[]
             OR (p.issuer, p.subject) IN (SELECT unnest($4::text[]), unnest($5::text[])))
      ORDER BY l.member`,
    [
      channel,
      approval,
      groups,
      people.map(({ issuer }) => issuer),
      people.map(({ subject }) => subject),
    ],
  )
  return rows.map(({ member }) => member)
}

/**
 * Has every message about an approval that has changed edited: at once where the last attempt
 * succeeded. A place that has not been told yet keeps its time, and a channel that fails keeps its
 * pause.
 */
export async function wantNewer(tx: Queryable, approval: string): Promise<void> {
  await tx.query(
    `UPDATE sallyport.notices
        SET wanted = wanted + 1,
            due_at = CASE WHEN receipt IS NOT NULL AND attempts = 0 THEN clock_timestamp() ELSE due_at END
      WHERE approval = $1 AND purpose <> 'remind'`,
    [approval],
  )
}

/** Makes escalations that wait for their time due at once. */
export async function hastenNotices(tx: Queryable, approval: string): Promise<void> {
  await tx.query(
    // In the distant past, so that they are due at once whatever the clocks say.
    `UPDATE sallyport.notices SET due_at = to_timestamp(0)
      WHERE approval = $1 AND purpose = 'escalate' AND receipt IS NULL AND attempts = 0`,
    [approval],
  )
}

/**
 * Whether a notice is due: its time has come, or it waits neither for the time of a reminder or an
 * escalation nor for the end of a pause. `due_at` alone would not do, because the clock may have
 * been set back since it was written. A failure that lies in the future shows the same.
 */
const isDue = `(due_at <= clock_timestamp()
  OR attempts = 0 AND (purpose = 'announce' OR receipt IS NOT NULL)
  OR attempts > 0 AND failed_at > clock_timestamp())`

/** Claims up to `limit` due notices for `leaseMs` milliseconds. Another replica gets others. */
export function claimNotices(
  db: Queryable,
  channel: string,
  claim: string,
  limit: number,
  leaseMs: number,
): Promise<Claimed[]> {
  return db.query<Claimed>(
    `UPDATE sallyport.notices n
        SET claim = $2, claimed_until = clock_timestamp() + $4 * interval '1 ms'
      WHERE id IN (
        SELECT id FROM sallyport.notices
         WHERE channel = $1 AND shown < wanted AND given_up_at IS NULL AND ${isDue}
           AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
         ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
      RETURNING id, approval, channel, target, purpose, wanted, attempts, receipt, claim, created_at AS "createdAt",
        (SELECT first.receipt FROM sallyport.notices first
          WHERE (first.approval, first.channel, first.target, first.purpose) = (n.approval, n.channel, n.target, 'announce')) AS announced`,
    [channel, claim, limit, leaseMs],
  )
}

/**
 * Notes a delivery. The receipt is kept even if the claim has run out meanwhile, so that whoever
 * claims the notice next edits that message instead of posting another.
 */
export async function noteDelivered(
  db: Queryable,
  { id, wanted, claim }: Claimed,
  receipt: JsonObject | null,
): Promise<void> {
  await db.query(
    `UPDATE sallyport.notices
        SET shown = greatest(shown, $2), receipt = coalesce($3::jsonb, receipt), attempts = 0,
            delivered_at = CASE WHEN $3::jsonb IS NULL THEN delivered_at ELSE clock_timestamp() END,
            due_at = clock_timestamp(),
            claimed_until = CASE WHEN claim = $4 THEN NULL ELSE claimed_until END
      WHERE id = $1`,
    [id, wanted, receipt && JSON.stringify(receipt), claim],
  )
}

/** Notes a failure. The notice is tried again in `pauseMs` milliseconds; `null` for never. */
export async function noteFailed(
  db: Queryable,
  { id, claim }: Claimed,
  error: string,
  pauseMs: number | null,
): Promise<void> {
  await db.query(
    `UPDATE sallyport.notices
        SET attempts = attempts + 1, failed_at = clock_timestamp(), last_error = $3,
            due_at = clock_timestamp() + coalesce($4::bigint, 0) * interval '1 ms',
            given_up_at = CASE WHEN $4::bigint IS NULL THEN clock_timestamp() END,
            claimed_until = NULL
      WHERE id = $1 AND claim = $2`,
    [id, claim, error, pauseMs],
  )
}

/** The state of a channel, over all replicas. */
export interface ChannelHealth {
  readonly channel: string
  /** Messages that are waiting to be posted or edited. */
  readonly waiting: number
  /** Since when the oldest of them has waited. */
  readonly oldest: Date | null
  readonly lastSuccess: Date | null
  readonly lastFailure: Date | null
  /** Text of the last failure, even if deliveries have succeeded since. */
  readonly lastError: string | null
}

export function channelHealth(
  db: Queryable,
  channels: readonly string[],
): Promise<ChannelHealth[]> {
  return db.query<ChannelHealth>(
    `SELECT c.channel, q.waiting, q.oldest, s.delivered_at AS "lastSuccess", f.failed_at AS "lastFailure", f.last_error AS "lastError"
       FROM unnest($1::text[]) WITH ORDINALITY AS c (channel, place)
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS waiting, min(coalesce(delivered_at, created_at)) AS oldest FROM sallyport.notices n
          WHERE n.channel = c.channel AND shown < wanted AND given_up_at IS NULL
            AND (due_at <= clock_timestamp() OR attempts > 0)) q
       LEFT JOIN LATERAL (
         SELECT delivered_at FROM sallyport.notices n
          WHERE n.channel = c.channel AND delivered_at IS NOT NULL ORDER BY delivered_at DESC LIMIT 1) s ON true
       LEFT JOIN LATERAL (
         SELECT failed_at, last_error FROM sallyport.notices n
          WHERE n.channel = c.channel AND failed_at IS NOT NULL ORDER BY failed_at DESC LIMIT 1) f ON true
      ORDER BY c.place`,
    [channels],
  )
}

/**
 * Whether this message about an approval is one that is kept up to date. Any other is left over
 * from an attempt whose answer was lost.
 */
export async function isKnownMessage(
  db: Queryable,
  approval: string,
  channel: string,
  receipt: JsonObject,
): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM sallyport.notices WHERE approval = $1 AND channel = $2 AND receipt @> $3::jsonb LIMIT 1`,
    [approval, channel, JSON.stringify(receipt)],
  )
  return rows.length > 0
}
