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
 * Milliseconds by which an event may come into the log after others of its time and still be found
 * among the newest without words.
 */
const lateMs = 10_000

/** The id from which on events have no words yet. */
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
 * Events without words that came into the log later than that: those of a dead replica, which
 * another linked, or from when the store was away.
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

/** Some events that have all words, or may have them. */
export interface Candidates {
  readonly ids: readonly string[]
  /** No later candidate has a greater id. */
  readonly below: string
}

/** How many segments are looked at first, and the most that are looked at together. */
const few = 4
const many = 512
/** The most events that are given out together. */
const mostEvents = 4_096

/**
 * Candidates, newest first, though segments can overlap a little: first about as many as `wanted`,
 * then more and more.
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
 * How many segments to look at next, by what the earlier ones have yielded. Few do not tell much
 * about many.
 */
function howMany(done: number, wanted: number, given: number): number {
  if (done === 0) return few
  if (given === 0) return many
  const all = Math.ceil((1.2 * done * wanted) / given)
  return Math.min(many, 8 * done, Math.max(done, all - done))
}

/**
 * The ids at these places of a segment that are in bounds, newest first. `all` stands for all
 * places.
 */
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

/** The first place whose id is not less than this one. */
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
