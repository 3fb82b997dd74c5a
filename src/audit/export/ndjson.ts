import type { Queryable } from '../../store/db.ts'
import type { Epoch } from '../../store/lease.ts'
import { canonical } from '../canonical.ts'
import { toExported, type EventRow } from '../exported.ts'
import { readHead } from '../links.ts'

export interface Span {
  /** What was linked at or after this time. */
  readonly from?: Date
  /** What was linked before this time. */
  readonly to?: Date
}

/** Events that are read at a time; one stretch of links is read whole. */
const pageSize = 1_000

/**
 * The audit log, one event a line, as RFC 8785 canonical JSON, without line ends: each chain from its first link in the span to its last, without a gap. Spans that
 * meet share nothing and leave nothing out. In constant memory, whatever its size; what is linked meanwhile is not part of it.
 */
export async function* exportNdjson(store: Queryable, span: Span = {}): AsyncGenerator<string> {
  for (const chain of await listChains(store)) {
    const end = (await readHead(store, chain))?.n ?? 0
    const from = span.from ? await firstLinkedAt(store, chain, span.from, end) : 1
    const to = span.to ? await firstLinkedAt(store, chain, span.to, end) : end + 1
    let next = from
    while (next < to) {
      const rows = await readPage(store, chain, next, to)
      // Somebody took the rest away. Verifying says so, where more of the chain follows.
      if (rows.length === 0) break
      for (const row of rows) yield canonical(toExported(row))
      next = rows.at(-1)!.n! + 1
    }
  }
}

function listChains(store: Queryable): Promise<Epoch[]> {
  return store.query(
    'SELECT replica, epoch FROM sallyport.replicas ORDER BY started_at, replica, epoch',
  )
}

/** Position of the first link at or after a time, or `end + 1`. Along a chain these times do not go back, so a few looks are enough. */
async function firstLinkedAt(
  store: Queryable,
  { replica, epoch }: Epoch,
  time: Date,
  end: number,
): Promise<number> {
  let low = 1
  let high = end + 1
  while (low < high) {
    const middle = low + ((high - low) >> 1)
    const [stretch] = await store.query<{ before: boolean; first: number; after: number }>(
      `SELECT linked_at < $4 AS before, first, first + cardinality(events) AS after
       FROM sallyport.audit_links
       WHERE replica = $1 AND epoch = $2 AND first <= $3
       ORDER BY first DESC LIMIT 1`,
      [replica, epoch, middle, time],
    )
    if (!stretch) low = middle + 1
    else if (stretch.before) low = Math.max(stretch.after, middle + 1)
    else high = stretch.first
  }
  return low
}

/** Whole stretches of links, from the one that begins at `from` or behind it, with their events. */
function readPage(store: Queryable, { replica, epoch }: Epoch, from: number, to: number) {
  return store.query<EventRow>(
    `WITH stretches AS (
       SELECT *, sum(cardinality(events)) OVER (ORDER BY first) - cardinality(events) AS before
       FROM (SELECT * FROM sallyport.audit_links
             WHERE replica = $1 AND epoch = $2 AND first >= $3 AND first < $4
             ORDER BY first LIMIT ${pageSize}) next)
     SELECT link.event AS id, e.body, e.salt, e.personal, l.replica, l.epoch,
            l.first + link.place - 1 AS n,
            substring(l.prev || l.hashes FROM (32 * link.place - 31)::int FOR 32) AS prev,
            substring(l.hashes FROM (32 * link.place - 31)::int FOR 32) AS hash
     FROM stretches l
     CROSS JOIN unnest(l.events) WITH ORDINALITY AS link (event, place)
     LEFT JOIN sallyport.audit_events e ON e.id = link.event
     WHERE l.before < ${pageSize}
     ORDER BY l.first, link.place`,
    [replica, epoch, from, to],
  )
}
