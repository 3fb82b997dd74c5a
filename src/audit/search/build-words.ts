import type { Queryable, Store } from '../../store/db.ts'
import { chunksOf, isFull, type Chunk, type Text } from './chunk.ts'

/** Events that are read at a time. */
const pageSize = 2_040

/**
 * Takes the words of what has come into the log, in chunks, and those of chunks of which something was erased. One replica at a time does; resolves to whether there is
 * more to do. A chunk that can still grow is not built yet: a search looks through it. Rejects with `StoreError`.
 */
export function buildWords(store: Store): Promise<boolean> {
  return store.tx(async (tx) => {
    const [progress] = await tx.query<{ next: number }>(
      'SELECT next FROM sallyport.audit_words_progress FOR UPDATE SKIP LOCKED',
    )
    if (!progress) return false
    if (await rebuild(tx)) return true
    const texts = await readTexts(tx, progress.next, Number.MAX_SAFE_INTEGER)
    const chunks = chunksOf(texts)
    const more = texts.length >= pageSize
    if (chunks.length > 0 && (more || !isFull(chunks.at(-1)!))) chunks.pop()
    if (chunks.length === 0) return false
    await insertChunks(tx, chunks)
    await tx.query('UPDATE sallyport.audit_words_progress SET next = $1', [chunks.at(-1)!.until])
    return more
  })
}

async function rebuild(tx: Queryable): Promise<boolean> {
  const [stale] = await tx.query<Pick<Chunk, 'first' | 'until'>>(
    'SELECT first, until FROM sallyport.audit_words WHERE words IS NULL ORDER BY first LIMIT 1',
  )
  if (!stale) return false
  const { first, until } = stale
  const texts = await readTexts(tx, first, until)
  await tx.query('DELETE FROM sallyport.audit_words WHERE first = $1', [first])
  await insertChunks(tx, chunksOf(texts))
  return true
}

/** Events of the log, from the place `first` on, up to `until`, or as many as are read at a time. */
function readTexts(tx: Queryable, first: number, until: number): Promise<Text[]> {
  return tx.query<Text>(
    `WITH stretches AS (
       SELECT s.start, l.events, sum(s.count) OVER (ORDER BY s.start) - s.count AS before
         FROM (SELECT * FROM sallyport.audit_tree_stretches
                WHERE start >= coalesce((SELECT max(start) FROM sallyport.audit_tree_stretches WHERE start <= $1), 0)
                  AND start < $2
                ORDER BY start LIMIT $3) s
         JOIN sallyport.audit_links l USING (replica, epoch, first))
     SELECT link.index, link.event AS id, e.body, e.personal
       FROM (SELECT s.start + place - 1 AS index, event
               FROM stretches s CROSS JOIN unnest(s.events) WITH ORDINALITY AS link (event, place)
              WHERE s.before < 2 * $3::bigint) link
       LEFT JOIN sallyport.audit_events e ON e.id = link.event
      WHERE link.index >= $1 AND link.index < $2
      ORDER BY link.index
      LIMIT $3`,
    [first, until, pageSize],
  )
}

async function insertChunks(tx: Queryable, chunks: readonly Chunk[]): Promise<void> {
  await tx.query(
    `INSERT INTO sallyport.audit_words (first, until, lo, hi, words)
     SELECT first, until, lo, hi, words::tsvector
       FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[]) AS c (first, until, lo, hi, words)`,
    [
      chunks.map(({ first }) => first),
      chunks.map(({ until }) => until),
      chunks.map(({ lo }) => lo),
      chunks.map(({ hi }) => hi),
      chunks.map(({ words }) => words),
    ],
  )
}
