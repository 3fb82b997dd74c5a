import type { Queryable } from '../../store/db.ts'
import type { Epoch } from '../../store/lease.ts'
import { canonical } from '../canonical.ts'
import { eventColumns, toExported, type EventRow } from '../exported.ts'

export interface Span {
  /** What was linked at or after this time. */
  readonly from?: Date
  /** What was linked before this time. */
  readonly to?: Date
}

const pageSize = 1_000

/**
 * The audit log, one event a line, as RFC 8785 canonical JSON, without line ends: each chain from its first link in the span to its last, without a gap. Spans that
 * meet share nothing and leave nothing out. In constant memory, whatever its size; what is linked meanwhile is not part of it.
 */
export async function* exportNdjson(store: Queryable, span: Span = {}): AsyncGenerator<string> {
  for (const chain of await listChains(store)) {
    const end = await countLinks(store, chain)
    const from = span.from ? await firstLinkedAt(store, chain, span.from, end) : 1
    const to = span.to ? await firstLinkedAt(store, chain, span.to, end) : end + 1
    for (let n = from; n < to; n += pageSize) {
      const rows = await readPage(store, chain, n, Math.min(n + pageSize, to))
      for (const row of rows) yield canonical(toExported(row))
    }
  }
}

function listChains(store: Queryable): Promise<Epoch[]> {
  return store.query(
    'SELECT replica, epoch FROM sallyport.replicas ORDER BY started_at, replica, epoch',
  )
}

async function countLinks(store: Queryable, { replica, epoch }: Epoch): Promise<number> {
  const [last] = await store.query<{ n: number }>(
    `SELECT n FROM sallyport.audit_links
     WHERE replica = $1 AND epoch = $2 ORDER BY n DESC LIMIT 1`,
    [replica, epoch],
  )
  return last?.n ?? 0
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
    const [row] = await store.query<{ before: boolean }>(
      `SELECT linked_at < $4 AS before FROM sallyport.audit_links
       WHERE replica = $1 AND epoch = $2 AND n = $3`,
      [replica, epoch, middle, time],
    )
    if (row?.before) low = middle + 1
    else high = middle
  }
  return low
}

function readPage(store: Queryable, { replica, epoch }: Epoch, from: number, to: number) {
  return store.query<EventRow>(
    `SELECT l.event AS id, ${eventColumns}
     FROM sallyport.audit_links l
     LEFT JOIN sallyport.audit_events e ON e.id = l.event
     LEFT JOIN sallyport.audit_personal p ON p.event = l.event
     WHERE l.replica = $1 AND l.epoch = $2 AND l.n >= $3 AND l.n < $4
     ORDER BY l.n`,
    [replica, epoch, from, to],
  )
}
