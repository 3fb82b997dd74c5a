import type { Queryable } from '../../store/db.ts'
import { countOf } from './contents.ts'

/** A month of the log that is in the database. */
export interface Month {
  /** In UTC, as in 2026-01. */
  readonly month: string
  /**
   * On disk, with its indexes; months that have no table of their own (the clock had jumped) share
   * theirs.
   */
  readonly bytes: number
  /** Whether everything in it is older than what is kept. */
  readonly due: boolean
  /** That all of it is kept elsewhere is on record: it can be taken out of the database. */
  readonly recorded: boolean
  /**
   * There is a record about others of this month, and these came late: they need one of their own.
   */
  readonly late: boolean
  /** Legal holds that keep it here. */
  readonly heldBy: readonly string[]
}

type Row = Omit<Month, 'recorded' | 'late'> & {
  /** How many events each record of it is about that is of what is here. */
  readonly recordedEvents: readonly number[]
  /** There is any record of it. */
  readonly mentioned: boolean
}

/**
 * Months whose events are in the database, the oldest first, or this one of them. `keepMs`: how
 * long each event stays; `null` keeps all of them.
 */
export async function listMonths(
  db: Queryable,
  keepMs: number | null,
  only: string | null = null,
): Promise<Month[]> {
  const rows = await db.query<Row>(
    `SELECT m.month, pg_total_relation_size(m.partition) AS bytes,
            $1::float8 IS NOT NULL AND m.day::timestamptz + interval '1 month' + $1 * interval '1 ms' <= clock_timestamp() AS due,
            EXISTS (SELECT FROM sallyport.audit_month_records(m.day)) AS mentioned,
            ARRAY(SELECT r.events FROM sallyport.audit_month_records(m.day) r
                   WHERE r.events = 0 OR EXISTS (SELECT FROM sallyport.audit_events e WHERE e.id = sallyport.audit_event_at(r.place))) AS "recordedEvents",
            ARRAY(SELECT sallyport.legal_holds_over_month(m.day)) AS "heldBy"
     FROM (SELECT i.inhrelid AS partition, y || '-' || mm AS month, make_date(y::int, mm::int, 1) AS day
           FROM pg_inherits i
           CROSS JOIN LATERAL regexp_match(i.inhrelid::regclass::text, 'audit_events_(\\d{4})_(\\d\\d)$') AS named (parts)
           CROSS JOIN LATERAL (SELECT parts[1] AS y, parts[2] AS mm) p
           WHERE i.inhparent = 'sallyport.audit_events'::regclass AND parts IS NOT NULL
           UNION ALL
           SELECT 'sallyport.audit_events_left_over'::regclass, to_char(left_over, 'YYYY-MM'), left_over
           FROM sallyport.audit_months_left_over() left_over) m
     WHERE $2::text IS NULL OR m.month = $2
     ORDER BY m.month`,
    [keepMs, only],
  )
  const months: Month[] = []
  for (const { recordedEvents, mentioned, ...month } of rows) {
    const recorded = await isRecorded(db, month.month, recordedEvents)
    months.push({ ...month, recorded, late: mentioned && !recorded })
  }
  return months
}

/**
 * Whether one record says of all that is here of a month that it is kept elsewhere: one that is
 * about as many events (`audit_month_recorded` says why, and is asked again when they leave). That
 * one counts all of them in one statement, which can take longer than a gateway waits for any.
 */
async function isRecorded(
  db: Queryable,
  month: string,
  recordedEvents: readonly number[],
): Promise<boolean> {
  return recordedEvents.length > 0 && recordedEvents.includes(await countOf(db, month))
}
