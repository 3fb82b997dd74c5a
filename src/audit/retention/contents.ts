import type { Indexes } from '../../core/event.ts'
import type { Queryable } from '../../store/db.ts'
import { firstIdAt } from '../event-id.ts'

/** What a month has: its events by their places in the log. Records about other months are not among them: they stay. */
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
 * Looks at a month, a slice at a time, so that no statement takes long. Events that are not in the log yet are counted, and have no index: a month that is over for long
 * has none.
 */
export async function contentsOf(
  db: Queryable,
  month: string,
  slice = sliceSize,
): Promise<Contents> {
  let events = 0
  let impersonal = 0
  const indexes: Indexes[] = []
  for await (const span of slicesOf(db, month, slice)) {
    const counted = await countBetween(db, span)
    events += counted.events
    impersonal += counted.impersonal
    indexes.push(...(await placesBetween(db, span)))
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

async function countBetween(
  db: Queryable,
  span: Span,
): Promise<Pick<Contents, 'events' | 'impersonal'>> {
  const [counted] = await db.query<Pick<Contents, 'events' | 'impersonal'>>(
    `SELECT count(*) AS events, count(*) FILTER (WHERE salt IS NULL) AS impersonal
     FROM sallyport.audit_events WHERE id >= $1 AND id < $2 AND type <> 'audit.retained'`,
    span,
  )
  return counted!
}

function placesBetween(db: Queryable, span: Span): Promise<Indexes[]> {
  return db.query<Indexes>(
    `SELECT min(index) AS first, max(index) + 1 AS end
     FROM (SELECT index, index - row_number() OVER (ORDER BY index) AS island
           FROM (SELECT s.start + l.n - s.first AS index
                 FROM (SELECT coalesce(p.replica, e.replica) AS replica, coalesce(p.epoch, e.epoch) AS epoch,
                              coalesce(p.n, e.n) AS n
                       FROM sallyport.audit_events e
                       LEFT JOIN sallyport.audit_places p ON p.event = e.id
                       WHERE e.id >= $1 AND e.id < $2 AND e.type <> 'audit.retained') l
                 CROSS JOIN LATERAL (SELECT start, first, count FROM sallyport.audit_tree_stretches
                                     WHERE replica = l.replica AND epoch = l.epoch AND first <= l.n
                                     ORDER BY first DESC LIMIT 1) s
                 WHERE l.n < s.first + s.count) place) islands
     GROUP BY island ORDER BY first`,
    span,
  )
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
