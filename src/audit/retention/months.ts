import type { Queryable } from '../../store/db.ts'
import { countOf } from './contents.ts'

/** A month of the log that is in the database. */
export interface Month {
  /** In UTC, as in 2026-01. */
  readonly month: string
  /**
   * On disk, including indexes. Months without a table of their own (after a jump of the clock)
   * share one.
   */
  readonly bytes: number
  /** Whether everything in it is older than the retention period. */
  readonly due: boolean
  /** Whether it is on record that all of it is kept elsewhere, so that it can be dropped. */
  readonly recorded: boolean
  /**
   * Whether these events came after a record about the month, so that they need one of their own.
   */
  readonly late: boolean
  /** Ids of the legal holds that keep it here. */
  readonly heldBy: readonly string[]
}

type Row = Omit<Month, 'recorded' | 'late'> & {
  /** For each record about events that are here, how many it covers. */
  readonly recordedEvents: readonly number[]
  /** Whether there is any record about the month. */
  readonly mentioned: boolean
}

/**
 * Months with events in the database, oldest first, or just one month. `keepMs`: milliseconds for
 * which each event stays; `null` for ever.
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
