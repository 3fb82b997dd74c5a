import type { Queryable } from '../../store/db.ts'
import { firstIdAt } from '../event-id.ts'
import { quoted } from './chunk.ts'
import type { Place, Words } from './conditions.ts'

/** A chunk that has all words, though perhaps no event that has them all. */
export interface Candidate {
  readonly first: number
  /** The greatest id in it. */
  readonly hi: string
}

/** Milliseconds that an event may come into the log after others of its time, so that it is looked for among those without words. */
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

/** Which chunks are asked for: with ids in this range, and none but older ones than `below`. */
export interface Reach {
  readonly from: string
  readonly before: string
  readonly below: string
}

/** The newest `limit` chunks that can have such an event. */
export function findCandidates(
  db: Queryable,
  words: Words,
  { from, before, below }: Reach,
  limit: number,
): Promise<Candidate[]> {
  return db.query<Candidate>(
    `SELECT first, hi FROM (
       SELECT first, lo, hi FROM sallyport.audit_words WHERE words @@ $1::tsquery
       UNION ALL
       SELECT first, lo, hi FROM sallyport.audit_words WHERE words IS NULL) c
     WHERE hi >= $2 AND lo < $3 AND hi < $4
     ORDER BY hi DESC
     LIMIT $5`,
    [query(words, '&'), from, before, below, limit],
  )
}

/** The events `e` of chunks `w`, in SQL. OFFSET keeps the planner from beginning with all events that there are. */
export const tables = `sallyport.audit_words w CROSS JOIN LATERAL
  (SELECT * FROM sallyport.audit_events WHERE id >= w.lo AND id <= w.hi OFFSET 0) e`

/** Conditions in SQL: one of these chunks, if one event of it has all words. */
export function inChunks(candidates: readonly Candidate[], words: Words, place: Place): string[] {
  return [
    `w.first = ANY (${place(candidates.map(({ first }) => first))}::bigint[])`,
    `(w.words IS NULL OR w.words @@ ${place(query(words, '<0>'))}::tsquery)`,
  ]
}

/** `&`: somewhere in the chunk; `<0>`: at one position, which is one event. */
function query({ whole, begin }: Words, operator: '&' | '<0>'): string {
  return [...whole.map(quoted), ...begin.map((one) => `${quoted(one)}:*`)].join(` ${operator} `)
}
