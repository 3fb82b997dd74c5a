import type { Queryable } from '../../store/db.ts'
import { firstIdAt } from '../event-id.ts'
import type { Sought } from './conditions.ts'
import {
  listSegments,
  PlaceFinder,
  readIds,
  readIdsAt,
  type At,
  type Bounds,
  type Segment,
} from './places.ts'

/**
 * Milliseconds that an event may come into the log after others of its time, so that it is looked
 * for among those without words.
 */
const lateMs = 10_000

/** Where the events begin whose words are not built yet. */
export async function newestWithoutWords(db: Queryable): Promise<string> {
  const [row] = await db.query<{ since: Date }>(
    `SELECT coalesce(
              (SELECT sequenced_at FROM sallyport.audit_tree_stretches
                WHERE start >= (SELECT max(start) FROM sallyport.audit_tree_stretches WHERE start <= p.next)
                  AND start + count > p.next
                ORDER BY start LIMIT 1),
              t.turn_at) AS since
       FROM sallyport.audit_words_progress p, sallyport.audit_tree t`,
  )
  return firstIdAt(new Date(row!.since.getTime() - lateMs))
}

/**
 * Events whose words are not built yet, and that came into the log longer than that after others of
 * their time: a dead replica's, which others link, or when the store was away.
 */
export async function lateWithoutWords(db: Queryable, since: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT link.event AS id
       FROM sallyport.audit_tree_stretches s
       JOIN sallyport.audit_links l USING (replica, epoch, first)
      CROSS JOIN unnest(l.events) AS link (event)
      WHERE s.start >= coalesce((SELECT max(start) FROM sallyport.audit_tree_stretches
                                  WHERE start <= (SELECT next FROM sallyport.audit_words_progress)), 0)
        AND link.event < $1`,
    [since],
  )
  return rows.map(({ id }) => id)
}

/** Some events that have all words, or can have. */
export interface Candidates {
  readonly ids: readonly string[]
  /** No event that follows has a greater id. */
  readonly below: string
}

/** Segments that are looked at first, and at most at once. */
const few = 4
const many = 512
/** Events that are given out at once, at most. */
const mostEvents = 4_096

/**
 * The newest first, but that segments can overlap a little; first as many as are `wanted`, and then
 * more and more.
 */
export async function* candidatesOf(
  db: Queryable,
  words: readonly Sought[],
  bounds: Bounds,
  wanted: number,
): AsyncGenerator<Candidates> {
  const finder = new PlaceFinder(db, words)
  const segments = await listSegments(db, bounds)
  let size = wanted
  let given = 0
  for (let done = 0; done < segments.length;) {
    const some = segments.slice(done, done + howMany(done, wanted, given))
    const places = await finder.find(some)
    let batch: At[] = []
    for (const segment of some) {
      const next = segments[(done += 1)]?.hi ?? ''
      for (const place of await within(db, bounds, segment, places.get(segment.first) ?? [])) {
        batch.push({ segment, place })
        if (batch.length < size) continue
        yield await candidates(db, batch, next)
        given += batch.length
        batch = []
        size = Math.min(2 * size, mostEvents)
      }
    }
    if (batch.length > 0) yield await candidates(db, batch, segments[done]?.hi ?? '')
    given += batch.length
  }
}

/**
 * As many segments as it probably takes, by what those that are done have given; few have little to
 * say about many.
 */
function howMany(done: number, wanted: number, given: number): number {
  if (done === 0) return few
  if (given === 0) return many
  const all = Math.ceil((1.2 * done * wanted) / given)
  return Math.min(many, 8 * done, Math.max(done, all - done))
}

/** What of these places of a segment is in bounds, the newest first. `all`: of all of them. */
async function within(
  db: Queryable,
  { from, before }: Bounds,
  { first, lo, hi, events }: Segment,
  found: readonly number[] | 'all',
): Promise<readonly number[]> {
  const places = found === 'all' ? Array.from({ length: events }, (_, place) => place) : found
  if (places.length === 0 || (lo >= from && hi < before)) return places.toReversed()
  const ids = await readIds(db, first)
  const [begin, end] = [placeOf(ids, from), placeOf(ids, before)]
  return places.filter((place) => place >= begin && place < end).toReversed()
}

/** The first place whose id is not less. */
function placeOf(ids: Buffer, id: string): number {
  const wanted = Buffer.from(id.replaceAll('-', ''), 'hex')
  let begin = 0
  for (let end = ids.length / 16; begin < end;) {
    const middle = (begin + end) >> 1
    if (ids.compare(wanted, 0, 16, 16 * middle, 16 * middle + 16) < 0) begin = middle + 1
    else end = middle
  }
  return begin
}

async function candidates(db: Queryable, batch: readonly At[], next: string): Promise<Candidates> {
  const ids = await readIdsAt(db, batch)
  const least = ids.at(-1)!
  return { ids, below: least > next ? least : next }
}
