import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../core/json.ts'
import type { Queryable } from '../../store/db.ts'

/**
 * When a batch ends: after so many events, or when the first of them has waited for so many
 * milliseconds.
 */
export interface Pace {
  readonly every: number
  readonly maxEvents: number
}

export interface Deliverer extends Pace {
  readonly name: string
  /**
   * The settings as registered. A replica with other settings delivers nothing under this name, so
   * that nothing is missing in the new place because it went to the old one.
   */
  readonly settings: JsonObject
}

/**
 * SQL for whether a time is over. A time further ahead than anything is ever put off was written
 * before somebody set the clock back, and counts as over.
 */
const isOver = (time: string, most: string) =>
  `(${time} <= clock_timestamp() OR ${time} > clock_timestamp() + ${most})`

/** The right to deliver the next batch, until the turn runs out. */
export interface Turn {
  readonly name: string
  readonly attempt: string
  readonly first: number
  readonly end: number
  /** Whether exactly this batch was begun before. */
  readonly begun: boolean
  /** Failures since the last success. */
  readonly failures: number
}

/**
 * Takes the turn of a destination for `leaseMs` milliseconds, if the destination is the registered
 * one, there is enough to deliver, and nobody else has the turn; otherwise resolves to `null`. Only
 * what a signed checkpoint covers is delivered. Rejects with a `StoreError`, like everything here.
 */
export async function takeTurn(
  db: Queryable,
  { name, settings, every, maxEvents }: Deliverer,
  leaseMs: number,
): Promise<Turn | null> {
  const [turn] = await db.query<Omit<Turn, 'name'>>(
    `UPDATE sallyport.audit_deliveries d
        SET attempt = $2, attempt_until = clock_timestamp() + $5 * interval '1 ms'
       FROM (SELECT size FROM sallyport.audit_checkpoints ORDER BY size DESC LIMIT 1) signed
      WHERE d.name = $1 AND d.settings = $6::jsonb AND d.cursor < signed.size
        AND (d.failures = 0 OR ${isOver('d.due_at', `interval '1 hour'`)})
        AND (d.attempt_until IS NULL OR ${isOver('d.attempt_until', `$5 * interval '1 ms'`)})
        AND (d.batch_end IS NOT NULL OR signed.size - d.cursor >= $3
             OR sallyport.audit_waits_since(d.cursor) <= clock_timestamp() - $4 * interval '1 ms'
             OR sallyport.audit_waits_since(d.cursor) > clock_timestamp())
      RETURNING d.attempt, d.cursor AS first, coalesce(d.batch_end, least(signed.size, d.cursor + $3)) AS end,
                d.batch_end IS NOT NULL AS begun, d.failures`,
    [name, randomUUID(), maxEvents, every, leaseMs, JSON.stringify(settings)],
  )
  return turn ? { name, ...turn } : null
}

/**
 * Fixes where the batch ends, before anybody outside sees any of it, and renews the turn. Resolves
 * to `false` if the turn is somebody else's by now.
 */
export async function beginBatch(
  db: Queryable,
  { name, attempt }: Turn,
  end: number,
  leaseMs: number,
): Promise<boolean> {
  const begun = await db.query(
    `UPDATE sallyport.audit_deliveries
        SET batch_end = $3, attempt_until = clock_timestamp() + $4 * interval '1 ms'
      WHERE name = $1 AND attempt = $2 RETURNING 1`,
    [name, attempt, end, leaseMs],
  )
  return begun.length === 1
}

/**
 * The other side has the batch, and any replica may take the next one. Has no effect if the turn is
 * somebody else's by now, who will repeat the batch.
 */
export async function endTurn(db: Queryable, { name, attempt }: Turn, end: number): Promise<void> {
  await db.query(
    `UPDATE sallyport.audit_deliveries
        SET cursor = $3, batch_end = NULL, attempt = NULL, attempt_until = NULL, failures = 0,
            delivered_at = clock_timestamp(), due_at = clock_timestamp()
      WHERE name = $1 AND attempt = $2`,
    [name, attempt, end],
  )
}

/** The batch failed. Any replica may try it again in `pauseMs` milliseconds. */
export async function failTurn(
  db: Queryable,
  { name, attempt }: Turn,
  error: string,
  pauseMs: number,
): Promise<void> {
  await db.query(
    `UPDATE sallyport.audit_deliveries
        SET attempt = NULL, attempt_until = NULL, failures = failures + 1, failed_at = clock_timestamp(), last_error = $3,
            due_at = clock_timestamp() + $4 * interval '1 ms'
      WHERE name = $1 AND attempt = $2`,
    [name, attempt, error, pauseMs],
  )
}

/** Gives the turn back, so that others need not wait until it runs out. */
export async function releaseTurn(db: Queryable, { name, attempt }: Turn): Promise<void> {
  await db.query(
    `UPDATE sallyport.audit_deliveries SET attempt = NULL, attempt_until = NULL
      WHERE name = $1 AND attempt = $2`,
    [name, attempt],
  )
}
