import type { Queryable } from '../../store/db.ts'

/** A month of the log that is in the database. */
export interface Month {
  /** In UTC, as in 2026-01. */
  readonly month: string
  /** On disk, with its indexes; months that have no table of their own (the clock had jumped) share theirs. */
  readonly bytes: number
  /** Whether everything in it is older than what is kept. */
  readonly due: boolean
  /** That all of it is kept elsewhere is on record: it can be taken out of the database. */
  readonly recorded: boolean
  /** There is a record about others of this month, and these came late: they need one of their own. */
  readonly late: boolean
  /** Legal holds that keep it here. */
  readonly heldBy: readonly string[]
}

/** Months whose events are in the database, the oldest first. `keepMs`: how long each event stays; `null` keeps all of them. */
export async function listMonths(db: Queryable, keepMs: number | null): Promise<Month[]> {
  return db.query<Month>(
    `SELECT m.month, pg_total_relation_size(m.partition) AS bytes,
            $1::float8 IS NOT NULL AND m.day::timestamptz + interval '1 month' + $1 * interval '1 ms' <= clock_timestamp() AS due,
            r.recorded, NOT r.recorded AND EXISTS (SELECT FROM sallyport.audit_month_records(m.day)) AS late,
            ARRAY(SELECT sallyport.legal_holds_over_month(m.day)) AS "heldBy"
     FROM (SELECT i.inhrelid AS partition, y || '-' || mm AS month, make_date(y::int, mm::int, 1) AS day
           FROM pg_inherits i
           CROSS JOIN LATERAL regexp_match(i.inhrelid::regclass::text, 'audit_events_(\\d{4})_(\\d\\d)$') AS named (parts)
           CROSS JOIN LATERAL (SELECT parts[1] AS y, parts[2] AS mm) p
           WHERE i.inhparent = 'sallyport.audit_events'::regclass AND parts IS NOT NULL
           UNION ALL
           SELECT 'sallyport.audit_events_left_over'::regclass, to_char(left_over, 'YYYY-MM'), left_over
           FROM sallyport.audit_months_left_over() left_over) m
     CROSS JOIN LATERAL (SELECT sallyport.audit_month_recorded(m.day, false) AS recorded) r
     ORDER BY m.month`,
    [keepMs],
  )
}

/** A month by its name, as in 2026-01: its beginning and its end, in UTC. */
export function spanOf(month: string): { readonly begin: Date; readonly end: Date } {
  const [year, number] = month.split('-').map(Number)
  return { begin: new Date(Date.UTC(year!, number! - 1)), end: new Date(Date.UTC(year!, number)) }
}
