import { readCopied, sqlInteger } from '../../store/copied-rows.ts'
import type { Queryable, Store } from '../../store/db.ts'
import { longest } from './lexemes.ts'
import { most, SegmentBuilder, type Segment, type Text } from './segment.ts'

/** Events that are read at a time. */
const pageSize = 2_048
/**
 * A segment of this size is large. Small ones are merged once together they nearly reach the most
 * that a segment can have.
 */
const large = { events: most.events / 2, size: most.size / 2 }
const nearly = 7 / 8

/**
 * Builds the words of new events in the log, once there are at least `least`, and again those of
 * segments in which something was erased; and merges small segments. One replica at a time does so.
 * Resolves to whether there may be more to do. Searches look through events that have no words yet.
 * `onUnreadable` is told, before the commit, of events that turned out to be none because somebody
 * put something else in their place. They have no words; those after them do. Rejects with a
 * `StoreError`.
 */
export function buildWords(
  store: Store,
  least = 512,
  onUnreadable: (event: string) => void = () => undefined,
): Promise<boolean> {
  return store.tx(async (tx) => {
    const [progress] = await tx.query<{ next: number }>(
      'SELECT next FROM sallyport.audit_words_progress FOR UPDATE SKIP LOCKED',
    )
    if (!progress) return false
    return (
      (await rebuild(tx, onUnreadable)) ||
      (await merge(tx)) ||
      (await extend(tx, progress.next, least, onUnreadable))
    )
  })
}

/** Rebuilds a segment whose words are gone. */
async function rebuild(tx: Queryable, onUnreadable: (event: string) => void): Promise<boolean> {
  const [stale] = await tx.query<Pick<Segment, 'first' | 'until'>>(
    'SELECT first, until FROM sallyport.audit_words WHERE words IS NULL ORDER BY hi DESC LIMIT 1',
  )
  if (!stale) return false
  await tx.query('DELETE FROM sallyport.audit_words WHERE first = $1', [stale.first])
  for (let next = stale.first; next < stale.until;) {
    const builder = new SegmentBuilder(next)
    await read(tx, builder, stale.until)
    await insert(tx, builder)
    await note(tx, builder.unreadable, onUnreadable)
    next = builder.until
  }
  return true
}

interface Small extends Pick<Segment, 'first' | 'until'> {
  readonly words: number
}

/** Merges consecutive small segments, once there are enough for a large one. */
async function merge(tx: Queryable): Promise<boolean> {
  const small = await tx.query<Small>(
    `SELECT first, until, words FROM sallyport.audit_words
      WHERE until - first < $1 AND words < $2 ORDER BY first`,
    [large.events, large.size],
  )
  const together = firstToMerge(small)
  if (together.length === 0) return false
  const builder = new SegmentBuilder(together[0]!.first)
  for (const { first } of together) {
    const [segment] = await tx.query<Pick<Segment, 'until' | 'ids'> & { pages: Buffer[] }>(
      `SELECT until, ids, ARRAY(SELECT data FROM sallyport.audit_word_pages WHERE segment = first ORDER BY word) AS pages
         FROM sallyport.audit_words WHERE first = $1`,
      [first],
    )
    builder.append(segment!)
  }
  await tx.query('DELETE FROM sallyport.audit_words WHERE first = ANY ($1::bigint[])', [
    together.map(({ first }) => first),
  ])
  await insert(tx, builder)
  return true
}

/** The first run of segments that together nearly fill one, or cannot grow any more. */
function firstToMerge(small: readonly Small[]): Small[] {
  let run: Small[] = []
  const events = () => run.at(-1)!.until - run[0]!.first
  const words = () => run.reduce((sum, segment) => sum + segment.words, 0)
  for (const segment of small) {
    const last = run.at(-1)
    const fits =
      last?.until === segment.first &&
      events() + segment.until - segment.first <= most.events &&
      words() + segment.words <= most.size
    if (last && !fits) {
      if (run.length > 1) return run
      run = []
    }
    run.push(segment)
  }
  if (run.length < 2) return []
  return events() >= nearly * most.events || words() >= nearly * most.size ? run : []
}

/** Builds the words of events that have come since. */
async function extend(
  tx: Queryable,
  next: number,
  least: number,
  onUnreadable: (event: string) => void,
): Promise<boolean> {
  const [tree] = await tx.query<{ size: number }>('SELECT size FROM sallyport.audit_tree')
  if (tree!.size - next < least) return false
  const builder = new SegmentBuilder(next)
  await read(tx, builder, tree!.size)
  await insert(tx, builder)
  await note(tx, builder.unreadable, onUnreadable)
  await tx.query('UPDATE sallyport.audit_words_progress SET next = $1', [builder.until])
  return true
}

/** Reads events of the log into the builder, up to `until`, or until it is full. */
async function read(tx: Queryable, builder: SegmentBuilder, until: number): Promise<void> {
  while (builder.until < until && !builder.isFull) {
    const end = Math.min(until, builder.until + pageSize)
    const texts = await readTexts(tx, builder.until, end)
    for (const text of texts) {
      if (!builder.isFull) builder.add(text)
    }
    // Verifying the log finds what is missing. Here it has no words.
    if (texts.length === 0) builder.passOver(end)
  }
}

/**
 * Bytes of an event's erasable part that are read: more than are looked at, so that a cut shows.
 */
const mostPersonal = 4 * (longest + 1)

/** Events of the log, from index `first` up to and without `until`. */
function readTexts(tx: Queryable, first: number, until: number): Promise<Text[]> {
  return readCopied(
    tx,
    `SELECT s.start + link.place - 1 AS index, link.event::text, e.subject, e.body,
            substring(e.personal FROM 1 FOR ${mostPersonal})
       FROM sallyport.audit_tree_stretches s
       JOIN sallyport.audit_links l USING (replica, epoch, first)
      CROSS JOIN unnest(l.events) WITH ORDINALITY AS link (event, place)
       LEFT JOIN sallyport.audit_events e ON e.id = link.event
      WHERE s.start >= coalesce((SELECT max(start) FROM sallyport.audit_tree_stretches WHERE start <= ${sqlInteger(first)}), 0)
        AND s.start < ${sqlInteger(until)}
        AND s.start + link.place - 1 >= ${sqlInteger(first)} AND s.start + link.place - 1 < ${sqlInteger(until)}
        AND link.event IS NOT NULL
      ORDER BY index`,
    (values) => ({
      index: values.bigint(),
      id: values.text(),
      subject: values.textOrNull(),
      body: values.textOrBytes(),
      personal: values.textOrNull(),
    }),
  )
}

/** Notes unreadable events for people, once each. */
async function note(
  tx: Queryable,
  events: readonly string[],
  onUnreadable: (event: string) => void,
): Promise<void> {
  if (events.length === 0) return
  const noted = await tx.query<{ event: string }>(
    `INSERT INTO sallyport.unreadable_events (event) SELECT unnest($1::uuid[])
     ON CONFLICT DO NOTHING RETURNING event`,
    [events],
  )
  for (const { event } of noted) onUnreadable(event)
}

async function insert(tx: Queryable, builder: SegmentBuilder): Promise<void> {
  const segment = builder.finish()
  if (!segment) return
  const { first, until, lo, hi, ids, size, pages } = segment
  await tx.query(
    `WITH segment AS (
       INSERT INTO sallyport.audit_words (first, until, lo, hi, ids, words) VALUES ($1, $2, $3, $4, $5, $6))
     INSERT INTO sallyport.audit_word_pages (segment, word, data)
     SELECT $1, word, data FROM unnest($7::bytea[], $8::bytea[]) AS page (word, data)`,
    [first, until, lo, hi, ids, size, pages.map(({ word }) => word), pages.map(({ data }) => data)],
  )
}
