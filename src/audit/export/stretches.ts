import { readCopied, sqlInteger } from '../../store/copied-rows.ts'
import type { Queryable } from '../../store/db.ts'

/** A part of the transparency log, from index `first` up to and without `end`. */
export interface Part {
  readonly first: number
  readonly end: number
}

/** A span of the times at which events came into the log. */
export interface Span {
  /** Inclusive. */
  readonly from?: Date
  /** Exclusive. */
  readonly to?: Date
}

/**
 * The part of the log that a span covers. Reaches to everything that was signed, so that an end
 * that somebody has cut off shows as missing in an export. Adjacent spans share nothing and leave
 * nothing out.
 */
export async function partOf(store: Queryable, { from, to }: Span): Promise<Part> {
  const [row] = await store.query<Part>(
    `WITH log AS (SELECT greatest(size, (SELECT max(size) FROM sallyport.audit_checkpoints)) AS size
                  FROM sallyport.audit_tree)
     SELECT CASE WHEN $1::timestamptz IS NULL THEN 0 ELSE coalesce(
              (SELECT min(start) FROM sallyport.audit_tree_stretches WHERE sequenced_at >= $1), size) END AS first,
            CASE WHEN $2::timestamptz IS NULL THEN size ELSE coalesce(
              (SELECT min(start) FROM sallyport.audit_tree_stretches WHERE sequenced_at >= $2), size) END AS end
     FROM log`,
    [from ?? null, to ?? null],
  )
  const { first, end } = row!
  return { first, end: Math.max(first, end) }
}

/**
 * Events that were linked together, and follow each other in the log from index `start`. Hashes
 * have 32 bytes for each event.
 */
export interface Stretch {
  readonly start: number
  readonly replica: string
  readonly epoch: number
  /** The place of the first link in its chain. */
  readonly first: number
  readonly ids: readonly string[]
  readonly leaves: Buffer
  /** The hash of the link before the first. */
  readonly prev: Buffer
  readonly hashes: Buffer
}

/**
 * Stretches that are read at a time. They have a page of events, unless hardly anything happens.
 */
const mostStretches = 100

/**
 * The next stretches that begin in a part and whose links are there: up to `count` events, plus at
 * most a stretch. Empty when there are none.
 */
export async function readStretches(
  store: Queryable,
  { first, end }: Part,
  count: number,
): Promise<Stretch[]> {
  return readCopied(
    store,
    // An id that somebody has emptied stays in its place as an empty text.
    `SELECT start, replica::text, epoch, first, array_to_string(events, ',', ''), leaves, prev, hashes
     FROM (SELECT *, sum(count) OVER (ORDER BY start) - count AS before
           FROM (SELECT * FROM sallyport.audit_tree_stretches
                 JOIN sallyport.audit_links USING (replica, epoch, first)
                 WHERE start >= ${sqlInteger(first)} AND start < ${sqlInteger(end)}
                 ORDER BY start LIMIT ${mostStretches}) next) counted
     WHERE before < ${sqlInteger(count)}
     ORDER BY start`,
    (values) => ({
      start: values.bigint(),
      replica: values.text(),
      epoch: values.bigint(),
      first: values.bigint(),
      ids: values.text().split(','),
      leaves: values.bytes(),
      prev: values.bytes(),
      hashes: values.bytes(),
    }),
  )
}

/** Where the next stretch with links begins, at or after `first`; `null` when there is none. */
async function nextStretch(store: Queryable, { first, end }: Part): Promise<number | null> {
  const [row] = await store.query<{ start: number }>(
    `SELECT s.start FROM sallyport.audit_tree_stretches s
     JOIN sallyport.audit_links l USING (replica, epoch, first)
     WHERE s.start >= $1 AND s.start < $2 ORDER BY s.start LIMIT 1`,
    [first, end],
  )
  return row?.start ?? null
}

/**
 * Where the stretch begins that has the event at `index`, or else the next one with links; `null`
 * when there is none.
 */
export async function stretchAt(store: Queryable, index: number): Promise<number | null> {
  const [row] = await store.query<{ start: number }>(
    `SELECT start FROM (SELECT start, count FROM sallyport.audit_tree_stretches
                        WHERE start <= $1 ORDER BY start DESC LIMIT 1) before
     WHERE start + count > $1`,
    [index],
  )
  return nextStretch(store, { first: row?.start ?? index, end: Number.MAX_SAFE_INTEGER })
}
