import type { Queryable } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'

/** A part of the transparency log: the events at `first` and behind it, up to `end`. */
export interface Part {
  readonly first: number
  readonly end: number
}

/** By the time at which events came into the log. */
export interface Span {
  /** At or after. */
  readonly from?: Date
  /** Before. */
  readonly to?: Date
}

/** Where a span lies in the log, as it is now. Spans that meet share nothing and leave nothing out. */
export async function partOf(store: Queryable, { from, to }: Span): Promise<Part> {
  const [row] = await store.query<Part>(
    `SELECT CASE WHEN $1::timestamptz IS NULL THEN 0 ELSE coalesce(
              (SELECT min(start) FROM sallyport.audit_tree_stretches WHERE sequenced_at >= $1), size) END AS first,
            CASE WHEN $2::timestamptz IS NULL THEN size ELSE coalesce(
              (SELECT min(start) FROM sallyport.audit_tree_stretches WHERE sequenced_at >= $2), size) END AS end
     FROM sallyport.audit_tree`,
    [from ?? null, to ?? null],
  )
  const { first, end } = row!
  return { first, end: Math.max(first, end) }
}

/** Up to `count` events of a part, and a stretch more at most: from the one at `first`, in the order of the log. */
export function readPart(
  store: Queryable,
  { first, end }: Part,
  count: number,
): Promise<EventRow[]> {
  return store.query<EventRow>(
    `WITH stretches AS (
       SELECT *, sum(count) OVER (ORDER BY start) - count AS before
       FROM (SELECT * FROM sallyport.audit_tree_stretches
             WHERE start >= $1 AND start < $2
             ORDER BY start LIMIT $3) next)
     SELECT s.start + link.place - 1 AS index, link.event AS id, e.body, e.salt, e.personal,
            s.replica, s.epoch, s.first + link.place - 1 AS n,
            substring(l.prev || l.hashes FROM (32 * link.place - 31)::int FOR 32) AS prev,
            substring(l.hashes FROM (32 * link.place - 31)::int FOR 32) AS hash,
            CASE WHEN e.body IS NULL THEN substring(l.leaves FROM (32 * link.place - 31)::int FOR 32) END AS leaf
     FROM stretches s
     JOIN sallyport.audit_links l USING (replica, epoch, first)
     CROSS JOIN unnest(l.events) WITH ORDINALITY AS link (event, place)
     LEFT JOIN sallyport.audit_events e ON e.id = link.event
     WHERE s.before < $3
     ORDER BY s.start, link.place`,
    [first, end, count],
  )
}

/** Where the next stretch begins whose links are there, at or behind `first`. `null` when none is. */
export async function nextStretch(store: Queryable, { first, end }: Part): Promise<number | null> {
  const [row] = await store.query<{ start: number }>(
    `SELECT s.start FROM sallyport.audit_tree_stretches s
     JOIN sallyport.audit_links l USING (replica, epoch, first)
     WHERE s.start >= $1 AND s.start < $2 ORDER BY s.start LIMIT 1`,
    [first, end],
  )
  return row?.start ?? null
}

/** Where the stretch begins that has the event at `index`, or the next one whose links are there. `null` when there is none. */
export async function stretchAt(store: Queryable, index: number): Promise<number | null> {
  const [row] = await store.query<{ start: number }>(
    `SELECT start FROM (SELECT start, count FROM sallyport.audit_tree_stretches
                        WHERE start <= $1 ORDER BY start DESC LIMIT 1) before
     WHERE start + count > $1`,
    [index],
  )
  return nextStretch(store, { first: row?.start ?? index, end: Number.MAX_SAFE_INTEGER })
}
