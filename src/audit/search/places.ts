import type { Queryable } from '../../store/db.ts'
import { PageReader } from './pages.ts'
import type { Sought } from './conditions.ts'

/** A segment that can have such events. */
export interface Segment {
  readonly first: number
  readonly lo: string
  readonly hi: string
  readonly events: number
  /** `false`: it is to be built again. */
  readonly built: boolean
}

/** At or after `from`, and before `before`. */
export interface Bounds {
  readonly from: string
  readonly before: string
}

/** Segments that can have events in these bounds, the newest first. */
export function listSegments(db: Queryable, { from, before }: Bounds): Promise<Segment[]> {
  return db.query<Segment>(
    `SELECT first, lo, hi, octet_length(ids) / 16 AS events, words IS NOT NULL AS built
       FROM sallyport.audit_words
      WHERE hi >= $1 AND lo < $2
      ORDER BY hi DESC`,
    [from, before],
  )
}

/** Places by segment, in their order. */
type Places = ReadonlyMap<number, readonly number[] | 'all'>

interface Word {
  readonly sought: Sought
  /** Of its lists, on the average of the segments that were looked at. */
  bytes: number
}

/**
 * Finds the places of events that have all words. It learns which word is rare, and begins by that.
 */
export class PlaceFinder {
  readonly #db: Queryable
  // Owned by find(): the rarest first, once that is known.
  #words: readonly Word[]
  #known = false

  constructor(db: Queryable, words: readonly Sought[]) {
    this.#db = db
    this.#words = words.map((sought) => ({ sought, bytes: 0 }))
  }

  /** Of a segment that is to be built again, all. */
  async find(segments: readonly Segment[]): Promise<Places> {
    const built = segments.filter((segment) => segment.built)
    let places: Places = new Map(built.map(({ first }) => [first, 'all']))
    // One question for all of them, where a rare one does not spare asking for the others.
    const steps = this.#known ? [this.#words.slice(0, 1), this.#words.slice(1)] : [this.#words]
    for (const words of steps) places = await findWords(this.#db, words, places)
    this.#words = this.#words.toSorted((a, b) => a.bytes - b.bytes)
    this.#known = true
    const stale = segments.filter((segment) => !segment.built)
    return new Map([...places, ...stale.map(({ first }) => [first, 'all'] as const)])
  }
}

/** Those of these places that have all words; only segments that have any. */
async function findWords(db: Queryable, words: readonly Word[], places: Places): Promise<Places> {
  if (words.length === 0 || places.size === 0) return places
  const sought = words.map((word) => word.sought)
  const pages = Map.groupBy(await readPages(db, [...places.keys()], sought), ({ word }) => word)
  let left = places
  for (const [i, word] of words.entries()) {
    left = narrow(left, word, pages.get(i) ?? [], places.size)
  }
  return left
}

function narrow(places: Places, word: Word, pages: readonly PageOf[], segments: number): Places {
  const wanted = Buffer.from(word.sought.word)
  const left = new Map<number, readonly number[]>()
  let bytes = 0
  for (const [segment, parts] of Map.groupBy(pages, (page) => page.segment)) {
    const before = places.get(segment)
    if (before === undefined) continue
    const flags = new Uint8Array(before.length)
    const lists: number[][] = []
    for (const { data } of parts) {
      for (const reader = new PageReader(data); reader.next();) {
        if (!reader.is(wanted, word.sought.begins)) continue
        bytes += reader.length
        if (before === 'all') lists.push(reader.places())
        else reader.flag(before, flags)
      }
    }
    const found = before === 'all' ? merged(lists) : before.filter((_, i) => flags[i] === 1)
    if (found.length > 0) left.set(segment, found)
  }
  word.bytes = bytes / segments
  return left
}

function merged(lists: readonly number[][]): readonly number[] {
  if (lists.length < 2) return lists[0] ?? []
  return [...new Set(lists.flat())].toSorted((a, b) => a - b)
}

interface PageOf {
  /** Which of those that were asked for. */
  readonly word: number
  readonly segment: number
  readonly data: Buffer
}

/**
 * Pages of these segments that have these words, or words that begin with them; and some that only
 * look as if.
 */
function readPages(
  db: Queryable,
  segments: readonly number[],
  words: readonly Sought[],
): Promise<PageOf[]> {
  const first = words.map(({ word }) => Buffer.from(word))
  // No byte of UTF-8 is as great.
  const after = first.map((word, i) =>
    words[i]!.begins ? Buffer.concat([word, Buffer.of(0xff)]) : null,
  )
  return db.query<PageOf>(
    `WITH sought AS MATERIALIZED (
       SELECT segment, word, after, n::int - 1 AS n
         FROM unnest($1::bigint[]) AS segment
        CROSS JOIN unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS w (word, after, n))
     SELECT s.n AS word, s.segment, p.data
       FROM sought s CROSS JOIN LATERAL (
        SELECT data FROM sallyport.audit_word_pages
         WHERE segment = s.segment AND word <= s.word ORDER BY word DESC LIMIT 1) p
      WHERE position(s.word IN p.data) > 0
     UNION ALL
     SELECT s.n, s.segment, p.data
       FROM sought s JOIN sallyport.audit_word_pages p
         ON p.segment = s.segment AND p.word > s.word AND p.word < s.after
      WHERE s.after IS NOT NULL`,
    [segments, first, after],
  )
}

/** Ids of all events of a segment, in their order, 16 bytes each. */
export async function readIds(db: Queryable, segment: number): Promise<Buffer> {
  const [row] = await db.query<{ ids: Buffer }>(
    'SELECT ids FROM sallyport.audit_words WHERE first = $1',
    [segment],
  )
  return row!.ids
}

/** An event of a segment. */
export interface At {
  readonly segment: Segment
  readonly place: number
}

/** Ids of these events, as they come. */
export async function readIdsAt(db: Queryable, events: readonly At[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT encode(substring(w.ids FROM 16 * at.place + 1 FOR 16), 'hex')::uuid AS id
       FROM unnest($1::bigint[], $2::int[]) WITH ORDINALITY AS at (segment, place, n)
       JOIN sallyport.audit_words w ON w.first = at.segment
      ORDER BY at.n`,
    [events.map(({ segment }) => segment.first), events.map(({ place }) => place)],
  )
  return rows.map(({ id }) => id)
}
