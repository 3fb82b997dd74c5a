import type { Indexes } from '../../core/event.ts'
import type { Queryable } from '../../store/db.ts'
import { firstIdAt } from '../event-id.ts'

/**
 * What a month has: its events by their places in the log. Records about other months are not among
 * them: they stay.
 */
export interface Contents {
  readonly events: number
  /** In order, and not touching. */
  readonly indexes: readonly Indexes[]
  /** Events without a personal part, erased or never there. */
  readonly impersonal: number
}

type Span = readonly [first: string, end: string]

/** Events that one statement looks at. */
const sliceSize = 50_000

/**
 * Looks at a month, a slice at a time, so that no statement takes long. Events that are not in the
 * log yet are counted, and have no index: a month that is over for long has none.
 */
export async function contentsOf(
  db: Queryable,
  month: string,
  size = sliceSize,
): Promise<Contents> {
  let events = 0
  let impersonal = 0
  const indexes: Indexes[] = []
  for await (const span of slicesOf(db, month, size)) {
    const slice = await contentsBetween(db, span)
    events += slice.events
    impersonal += slice.impersonal
    indexes.push(...slice.indexes)
  }
  return { events, impersonal, indexes: joined(indexes) }
}

/** How many events a month has, in the same way, and by the index alone. */
export async function countOf(db: Queryable, month: string): Promise<number> {
  let events = 0
  for await (const span of slicesOf(db, month, sliceSize)) {
    const [counted] = await db.query<{ events: number }>(
      `SELECT (SELECT count(*) FROM sallyport.audit_events WHERE id >= $1 AND id < $2)
            - (SELECT count(*) FROM sallyport.audit_events WHERE id >= $1 AND id < $2 AND type = 'audit.retained') AS events`,
      span,
    )
    events += counted!.events
  }
  return events
}

/** A month in parts, by the ids of their events. Only the index is read for where they end. */
async function* slicesOf(db: Queryable, month: string, slice: number): AsyncGenerator<Span> {
  const { begin, end } = spanOf(month)
  const after = firstIdAt(end)
  for (let first = firstIdAt(begin); first < after;) {
    const [next] = await db.query<{ id: string }>(
      `SELECT id FROM sallyport.audit_events WHERE id >= $1 AND id < $2 ORDER BY id OFFSET $3 LIMIT 1`,
      [first, after, slice],
    )
    yield [first, next?.id ?? after]
    first = next?.id ?? after
  }
}

/** A month by its name, as in 2026-01: its beginning and its end, in UTC. */
function spanOf(month: string): { readonly begin: Date; readonly end: Date } {
  const [year, number] = month.split('-').map(Number)
  return { begin: new Date(Date.UTC(year!, number! - 1)), end: new Date(Date.UTC(year!, number)) }
}

/**
 * Its rows are read once, and where they are in the log is looked up for each run of links, and not
 * for each event.
 */
async function contentsBetween(db: Queryable, span: Span): Promise<Contents> {
  const [found] = await db.query<
    Omit<Contents, 'indexes'> & { readonly firsts: number[]; readonly ends: number[] }
  >(
    `WITH event AS MATERIALIZED (
       SELECT id, replica, epoch, n, salt IS NULL AS impersonal FROM sallyport.audit_events
        WHERE id >= $1 AND id < $2 AND type <> 'audit.retained'),
     link AS (
       SELECT replica, epoch, n FROM event WHERE n IS NOT NULL
       UNION ALL
       SELECT p.replica, p.epoch, p.n FROM event JOIN sallyport.audit_places p ON p.event = event.id
        WHERE event.n IS NULL),
     run AS (
       SELECT replica, epoch, min(n) AS first, max(n) + 1 AS end
         FROM (SELECT *, n - row_number() OVER (PARTITION BY replica, epoch ORDER BY n) AS island
                 FROM link) islands
        GROUP BY replica, epoch, island),
     place AS (
       SELECT s.start + greatest(run.first - s.first, 0) AS first,
              s.start + least(run.end - s.first, s.count) AS end
         FROM run CROSS JOIN LATERAL (
           SELECT start, first, count FROM sallyport.audit_tree_stretches
            WHERE replica = run.replica AND epoch = run.epoch AND first < run.end
              AND first >= coalesce((
                SELECT max(first) FROM sallyport.audit_tree_stretches
                 WHERE replica = run.replica AND epoch = run.epoch AND first <= run.first), 0)
           -- By the index for each run: in any other way, all stretches of the log would be read.
           OFFSET 0) s
        WHERE run.first < s.first + s.count)
     SELECT count(*) AS events, count(*) FILTER (WHERE impersonal) AS impersonal,
            ARRAY(SELECT first FROM place ORDER BY first) AS firsts,
            ARRAY(SELECT place.end FROM place ORDER BY first) AS ends
       FROM event`,
    span,
  )
  const { events, impersonal, firsts, ends } = found!
  const places = firsts.map((first, at) => ({ first, end: ends[at]! }))
  return { events, impersonal, indexes: joined(places) }
}

/** What touches becomes one; what comes later may lie before. */
export function joined(ranges: readonly Indexes[]): Indexes[] {
  const result: Indexes[] = []
  for (const { first, end } of ranges.toSorted((a, b) => a.first - b.first)) {
    const last = result.at(-1)
    if (last && first <= last.end) {
      result[result.length - 1] = { first: last.first, end: Math.max(last.end, end) }
    } else result.push({ first, end })
  }
  return result
}

/** How many events ranges have that do not overlap. */
export function sizeOf(ranges: readonly Indexes[]): number {
  return ranges.reduce((sum, { first, end }) => sum + end - first, 0)
}

/** Whether each range lies within one of these, which do not touch. */
export function covers(these: readonly Indexes[], ranges: readonly Indexes[]): boolean {
  return ranges.every(({ first, end }) => these.some((one) => one.first <= first && end <= one.end))
}
